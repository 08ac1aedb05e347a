# SPDX-License-Identifier: Apache-2.0
"""Golden values of the optimizer (tests/optim): twenty steps of torch.optim.AdamW with clipping and a changing learning rate, the same by LAMB as it is
written below, the first with a share of the rate for each parameter, a frozen one and torch.optim.swa_utils.AveragedModel, and the learning rates of transformers' schedules. Usage: python adamw.py > adamw.txt"""
import torch
import transformers

from golden import record, uniform

STEPS, DECAY, MAX_NORM = 20, 0.1, 8.0
SHAPES = {"bias": (7,), "embedding": (9, 4), "norm": (6,), "unused": (3,), "weight": (5, 70)}


def gradient(name, step):
    """None for the parameter that the loss does not reach; the embedding's is zero but in three rows."""
    if name == "unused":
        return None
    g = uniform(name, step, SHAPES[name], 0.5 * (1 + step % 3))
    if name == "embedding":
        touched = {step % 9, (3 * step + 1) % 9, step * step % 9}
        for row in range(9):
            g[row] *= row in touched
    return torch.from_numpy(g).float()


print("# PyTorch", torch.__version__, "in single precision, transformers", transformers.__version__ + "; made by adamw.py")
parameters = {name: torch.nn.Parameter(torch.from_numpy(uniform(name, 1000, shape, 1)).float()) for name, shape in SHAPES.items()}
decayed = ["embedding", "unused", "weight"]
optimizer = torch.optim.AdamW([{"params": [parameters[n] for n in decayed], "weight_decay": DECAY},
                               {"params": [parameters[n] for n in SHAPES if n not in decayed], "weight_decay": 0.0}])
norms = []
for step in range(STEPS):
    for name, parameter in parameters.items():
        parameter.grad = gradient(name, step)
    norms.append(torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM).item())
    for group in optimizer.param_groups:
        group["lr"] = 0.01 * (STEPS - step) / STEPS
    optimizer.step()
    if step in (0, 4, STEPS - 1):
        for name, parameter in parameters.items():
            print(record(f"step{step}/{name}", parameter.detach()))
            if name != "unused":
                print(record(f"step{step}/{name}/m", optimizer.state[parameter]["exp_avg"]))
                print(record(f"step{step}/{name}/v", optimizer.state[parameter]["exp_avg_sq"]))
print(" ".join(["norms", *map(repr, norms)]))

SHARES = {"bias": 1, "embedding": 0.8 ** 4, "norm": 0.8 ** 2, "unused": 1, "weight": 0.8}
EMA = 0.9
parameters = torch.nn.ParameterDict({name: torch.nn.Parameter(torch.from_numpy(uniform(name, 1000, shape, 1)).float()) for name, shape in SHAPES.items()})
parameters["norm"].requires_grad_(False)
optimizer = torch.optim.AdamW([{"params": [parameters[n]], "weight_decay": DECAY * (n in decayed), "share": SHARES[n]} for n in SHAPES])
averaged = torch.optim.swa_utils.AveragedModel(parameters, avg_fn=lambda a, w, n: a + (1 - EMA) / (1 - EMA ** (n + 1)) * (w - a))
for step in range(STEPS):
    for name, parameter in parameters.items():
        parameter.grad = None if name == "norm" else gradient(name, step)
    torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM)
    for group in optimizer.param_groups:
        group["lr"] = 0.01 * (STEPS - step) / STEPS * group["share"]
    optimizer.step()
    averaged.update_parameters(parameters)
    if step in (0, 4, STEPS - 1):
        for name in SHAPES:
            print(record(f"shares{step}/{name}", parameters[name].detach()))
            print(record(f"average{step}/{name}", averaged.module[name].detach()))

parameters = {name: torch.nn.Parameter(torch.from_numpy(uniform(name, 1000, shape, 1)).float()) for name, shape in SHAPES.items()}
moments = {name: (torch.zeros(shape), torch.zeros(shape)) for name, shape in SHAPES.items()}


@torch.no_grad()
def lamb(step, rate, beta1=0.9, beta2=0.999, eps=1e-6):
    """Algorithm 2 of You et al. 2020, with corrected moments; no decay and no trust ratio for biases and norms."""
    for name, w in parameters.items():
        if w.grad is None:
            continue
        m, v = moments[name]
        m.lerp_(w.grad, 1 - beta1)
        v.mul_(beta2).addcmul_(w.grad, w.grad, value=1 - beta2)
        u = m / (1 - beta1 ** (step + 1)) / ((v / (1 - beta2 ** (step + 1))).sqrt() + eps)
        ratio = 1.0
        if name in decayed:
            u += DECAY * w
            w_norm, u_norm = w.double().norm().item(), u.double().norm().item()
            ratio = w_norm / u_norm if w_norm > 0 and u_norm > 0 else 1.0
        w -= rate * ratio * u


for step in range(STEPS):
    for name, parameter in parameters.items():
        parameter.grad = gradient(name, step)
    torch.nn.utils.clip_grad_norm_(parameters.values(), MAX_NORM)
    lamb(step, 0.01 * (STEPS - step) / STEPS)
    if step in (0, 4, STEPS - 1):
        for name, parameter in parameters.items():
            print(record(f"lamb{step}/{name}", parameter.detach()))
            if name != "unused":
                print(record(f"lamb{step}/{name}/m", moments[name][0]))
                print(record(f"lamb{step}/{name}/v", moments[name][1]))

SCHEDULES = {
    "linear": transformers.get_linear_schedule_with_warmup,
    "cosine": transformers.get_cosine_schedule_with_warmup,
    "constant": lambda optimizer, warmup, total: transformers.get_constant_schedule_with_warmup(optimizer, warmup),
}
for kind, make in SCHEDULES.items():
    for warmup, total in [(0, 10), (3, 20), (1, 1), (5, 5)]:
        schedule = make(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-5), warmup, total)
        rates = []
        for _ in range(total):
            rates.append(schedule.get_last_lr()[0])
            schedule.optimizer.step()
            schedule.step()
        print(" ".join([f"{kind}_{warmup}_{total}", *map(repr, rates)]))
