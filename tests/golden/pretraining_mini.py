# SPDX-License-Identifier: Apache-2.0
"""Golden values of pre-training at the size of random:mini, over BERT's whole vocabulary (tests/data/models/pretraining_slow_test.cpp, which makes the same weights and
batches): losses and gradient norms of 20 steps of transformers' BertForPreTraining in double precision, without dropout, by AdamW and by LAMB.
Usage: python pretraining_mini.py > pretraining_mini.txt"""
import torch
import transformers
from transformers import BertConfig, BertForPreTraining

from golden import uniform
from pretraining import lamb, loss_of
import pretraining

STEPS = 20
pretraining.RATE = RATE = 1e-4


def batch(step):
    """16 texts; every second token is masked, every fifth text is no pair."""
    found, t = dict(ids=[], segments=[], labels=[], pairs=[]), 0
    for b in range(16):
        length = 16 + (37 * b + 11 * step) % 40
        ids, labels = [], []
        for i in range(length):
            word = 1000 + (7919 * t + 104729 * step) % 29000
            masked = i > 0 and (31 * t + 17 * step) % 2 == 1
            labels.append(word if masked else -1)
            ids.append(103 if masked else word)
            t += 1
        alone = b % 5 == 4
        found["ids"].append(ids)
        found["labels"].append(labels)
        found["segments"].append([int(not alone and i >= length // 2) for i in range(length)])
        found["pairs"].append(-1 if alone else b % 2)
    return found


def main():
    print("# PyTorch", torch.__version__, "in double precision, transformers", transformers.__version__ + "; made by pretraining_mini.py")
    for rule in ("adamw", "lamb"):
        model = BertForPreTraining(BertConfig(hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024)).double().eval()
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for name, p in parameters.items():
                norm = "LayerNorm.weight" in name
                p.copy_(torch.from_numpy(uniform(name, 1, tuple(p.shape), 0.1 if norm else 0.05)).float().double() + norm)
        optimizer = torch.optim.AdamW([{"params": [p for n, p in parameters.items() if pretraining.decays(n) == flag], "weight_decay": 0.01 * flag}
                                       for flag in (True, False)], lr=RATE)
        moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
        losses, norms = [], []
        for step in range(STEPS):
            loss = loss_of(model, batch(step))
            optimizer.zero_grad()
            loss.backward()
            losses.append(loss.item())
            norms.append(torch.stack([p.grad.norm() for p in parameters.values()]).norm().item())
            if rule == "adamw":
                optimizer.step()
            else:
                with torch.no_grad():
                    lamb(parameters, moments, step)
        print(" ".join([rule + "/losses", *map(repr, losses)]))
        print(" ".join([rule + "/norms", *map(repr, norms)]), flush=True)


if __name__ == "__main__":
    main()
