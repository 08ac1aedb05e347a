# SPDX-License-Identifier: Apache-2.0
"""Golden values of quantization (tests/core, tests/compress): torch's fake-quantize with its gradient, per tensor and per channel, and the ranges
of torch.ao's observers over batches. Usage: python quantization.py > quantization.txt"""
import numpy as np
import torch
from torch.ao.quantization import observer

from golden import uniform


def emit(key, values):
    print(key, *[repr(float(v)) for v in np.asarray(values).reshape(-1)])


def fake(name, shape, apply):
    x = torch.tensor(uniform(name, 0, shape, 3), dtype=torch.float32, requires_grad=True)
    gy = torch.tensor(uniform(name, 1, shape), dtype=torch.float32)
    y = apply(x)
    y.backward(gy)
    emit(name + "/y", y.detach().numpy())
    emit(name + "/gx", x.grad.numpy())


print("# PyTorch", torch.__version__ + "; made by quantization.py")
fake("tensor", (5, 7), lambda x: torch.fake_quantize_per_tensor_affine(x, 0.0173, 93, 0, 255))
fake("channel", (6, 9), lambda x: torch.fake_quantize_per_channel_affine(x, torch.tensor([0.02, 0.01, 0.3, 0.005, 1.0, 0.0234]), torch.zeros(6, dtype=torch.int32), 0, -127, 127))

# Skewed batches with outliers whose range grows: cubes of uniform numbers.
batches = [torch.tensor(uniform("observer", i, (40, 100), 1 + 0.3 * i) ** 3 + 0.1, dtype=torch.float32) for i in range(4)]
for kind, made in (("minmax", observer.MinMaxObserver()), ("moving-average", observer.MovingAverageMinMaxObserver())):
    for batch in batches:
        made(batch)
    emit(kind, [made.min_val, made.max_val])
for count in (1, 4):
    made = observer.HistogramObserver(dtype=torch.quint8)
    for batch in batches[:count]:
        made(batch)
    emit(f"histogram{count}", made._non_linear_param_search())
for least, most in ((-1.5, 3.25), (0.2, 5.0), (-4.0, -1.0)):
    made = observer.MinMaxObserver(dtype=torch.quint8, quant_min=0, quant_max=255)
    made(torch.tensor([least, most]))
    scale, zero = made.calculate_qparams()
    emit(f"affine{least}", [scale, zero])
