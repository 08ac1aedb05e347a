# SPDX-License-Identifier: Apache-2.0
"""Writes the small pre-training models that tests/data/models/pretraining_test.cpp opens, and what transformers computes with them.

    python tests/golden/pretraining.py

pretraining/NAME: a BertForPreTraining or BertForMaskedLM with random weights as transformers saves it, its tokenizer, and expected.json with three batches of
masked tokens and pairs, the losses and gradient norms of 20 steps of AdamW and of LAMB in double precision without dropout, and the logits of the first
batch's masked tokens. Made with torch 2.13 and transformers 5.24.
"""
import json
import pathlib
import shutil

import torch
from transformers import BertConfig, BertForMaskedLM, BertForPreTraining

from hf_model import WORDS

HERE = pathlib.Path(__file__).parent / "pretraining"
SHAPE = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, max_position_embeddings=20, initializer_range=0.3,
             vocab_size=len(WORDS))
MASK = WORDS.index("[MASK]")
STEPS, RATE, DECAY = 20, 3e-3, 0.01


def batch(seed, pairs):
    """Rows of ids, segments and labels (-1: not masked), and a label for each pair (-1: a single text)."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda low, high, n: torch.randint(low, high, (n,), generator=generator).tolist()
    found = dict(ids=[], segments=[], labels=[], pairs=[])
    for b, length in enumerate((9, 4, 19, 12)):
        second = length // 2 if pairs and b != 1 else length  # the second text begins there
        ids = [2, *draw(5, len(WORDS), length - 2), 3]
        if second < length:
            ids[second - 1] = 3
        labels = [-1] * length
        for place in {1 + p for p in draw(0, length - 2, 1 + length // 5)} - {second - 1}:
            labels[place] = ids[place]
            ids[place] = [MASK, draw(5, len(WORDS), 1)[0], ids[place]][draw(0, 3, 1)[0]]
        found["ids"].append(ids)
        found["segments"].append([int(i >= second) for i in range(length)])
        found["labels"].append(labels)
        found["pairs"].append(draw(0, 2, 1)[0] if second < length else -1)
    return found


def padded(rows, filler):
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


def forward(model, data):
    fed = dict(input_ids=padded(data["ids"], 0), token_type_ids=padded(data["segments"], 0), attention_mask=padded([[1] * len(r) for r in data["ids"]], 0))
    return model(**fed)


def loss_of(model, data):
    """The loss of transformers' class, whose ignored label is -100."""
    fed = dict(input_ids=padded(data["ids"], 0), token_type_ids=padded(data["segments"], 0), attention_mask=padded([[1] * len(r) for r in data["ids"]], 0))
    labels = padded(data["labels"], -1)
    fed["labels"] = torch.where(labels < 0, -100, labels)
    if isinstance(model, BertForPreTraining):
        pairs = torch.tensor(data["pairs"])
        fed["next_sentence_label"] = torch.where(pairs < 0, -100, pairs)
    return model(**fed).loss


def decays(name):
    return not name.endswith("bias") and "LayerNorm" not in name


def lamb(parameters, moments, step):
    """Algorithm 2 of You et al. 2020; no decay and no trust ratio for biases and layer norms."""
    for name, w in parameters.items():
        m, v = moments[name]
        m.lerp_(w.grad, 0.1)
        v.mul_(0.999).addcmul_(w.grad, w.grad, value=0.001)
        u = m / (1 - 0.9 ** (step + 1)) / ((v / (1 - 0.999 ** (step + 1))).sqrt() + 1e-6)
        ratio = 1.0
        if decays(name):
            u += DECAY * w
            ratio = (w.norm() / u.norm()).item()
        w -= RATE * ratio * u


def learn(model, batches, rule):
    model = model.double().eval()  # no dropout
    parameters = dict(model.named_parameters())
    optimizer = torch.optim.AdamW([{"params": [p for n, p in parameters.items() if decays(n) == flag], "weight_decay": DECAY * flag} for flag in (True, False)],
                                  lr=RATE)
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    losses, norms = [], []
    for step in range(STEPS):
        loss = loss_of(model, batches[step % 3])
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        for p in parameters.values():
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        norms.append(torch.stack([p.grad.norm() for p in parameters.values()]).norm().item())
        losses.append(loss.item())
        if rule == "adamw":
            optimizer.step()
        else:
            with torch.no_grad():
                lamb(parameters, moments, step)
    return {"losses": losses, "norms": norms}


def main():
    for name, kind in {"pairs": BertForPreTraining, "words": BertForMaskedLM}.items():
        directory = HERE / name
        shutil.rmtree(directory, ignore_errors=True)
        torch.manual_seed(1)
        model = kind(BertConfig(**SHAPE)).eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                if key.endswith("bias") or "LayerNorm" in key:
                    p.add_(torch.randn_like(p) * 0.1)  # no two parameters alike, so that a mix-up shows
        model.save_pretrained(directory)
        (directory / "vocab.txt").write_text("\n".join(WORDS) + "\n")
        (directory / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "tokenizer_class": "BertTokenizer"}) + "\n")
        batches = [batch(100 + i, name == "pairs") for i in range(3)]
        with torch.no_grad():
            output = forward(model, batches[0])
        words = output.prediction_logits if name == "pairs" else output.logits
        masked = [words[b, t].tolist() for b, row in enumerate(batches[0]["labels"]) for t, label in enumerate(row) if label >= 0]
        expected = {"batches": batches, "logits": masked}
        if name == "pairs":
            expected["pair_logits"] = output.seq_relationship_logits.tolist()
        for rule in ("adamw", "lamb"):
            expected[rule] = learn(kind.from_pretrained(directory), batches, rule)
        (directory / "expected.json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
