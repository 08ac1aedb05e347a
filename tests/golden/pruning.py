# SPDX-License-Identifier: Apache-2.0
"""Golden values of pruning (tests/compress): masks of torch.nn.utils.prune over the encoder's linear layers of tests/golden/hf_model, eight bits a
number with the first element lowest, and the logits of the masked model. Usage: python pruning.py > pruning.txt"""
import copy
import json
import pathlib

import numpy as np
import torch
import transformers
from torch.nn.utils import prune

from golden import uniform

HERE = pathlib.Path(__file__).parent / "hf_model"
TEXTS = json.loads((HERE / "expected.json").read_text())["texts"]


def linears(model):
    return [(name, m) for name, m in model.bert.encoder.named_modules(prefix="bert.encoder") if isinstance(m, torch.nn.Linear)]


def bits(mask):
    return np.packbits(mask.numpy().reshape(-1).astype(np.uint8), bitorder="little")


def emit(case, model):
    for name, module in linears(model):
        print(f"{case}/{name}.weight", *bits(module.weight_mask))
    for i, text in enumerate(TEXTS):
        with torch.no_grad():
            ids = torch.tensor([text["ids"]])
            print(f"{case}/logits{i}", *[repr(v) for v in model(input_ids=ids).logits[0].tolist()])


print("# PyTorch", torch.__version__, "transformers", transformers.__version__ + "; made by pruning.py")
dense = transformers.BertForSequenceClassification.from_pretrained(HERE).eval()
for amount in (0.3, 0.77):
    model = copy.deepcopy(dense)
    for _, module in linears(model):
        prune.l1_unstructured(module, "weight", amount)
    emit(f"layer{amount}", model)
    model = copy.deepcopy(dense)
    prune.global_unstructured([(m, "weight") for _, m in linears(model)], prune.L1Unstructured, amount=amount)
    emit(f"global{amount}", model)
model = copy.deepcopy(dense)
for name, module in linears(model):
    prune.custom_from_mask(module, "weight", torch.from_numpy(uniform(name + ".weight", 5, module.weight.shape) > -0.8))
emit("given", model)
