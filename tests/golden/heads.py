# SPDX-License-Identifier: Apache-2.0
"""Losses of hf_model as transformers computes them for each problem_type, and their gradients at classifier.bias (tests/data/models/hf_heads_test.cpp).
Usage: python heads.py > heads.txt"""
import json
import pathlib

import torch
import transformers

directory = pathlib.Path(__file__).parent / "hf_model"
texts = json.loads((directory / "expected.json").read_text())["texts"]
labels = {"single_label_classification": torch.tensor([0, 2, 1, 2]),
          "regression": torch.tensor([[0.5, -1, 2], [0, 0.25, -3], [1, 1, 1], [-0.75, 4, 0]]),
          "multi_label_classification": torch.tensor([[0, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1]], dtype=torch.float)}

print("# transformers", transformers.__version__, "; made by heads.py")
for problem, wanted in labels.items():
    model = transformers.BertForSequenceClassification.from_pretrained(directory, problem_type=problem).eval()
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(t["ids"]) for t in texts], batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(t["ids"]), dtype=torch.long) for t in texts], batch_first=True)
    loss = model(input_ids=ids, attention_mask=mask, labels=wanted).loss
    loss.backward()
    print(problem, repr(loss.item()), *map(repr, model.classifier.bias.grad.tolist()))
