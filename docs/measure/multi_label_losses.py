# SPDX-License-Identifier: Apache-2.0
"""The losses of a run with several labels for each text, here and with PyTorch, from the same weights, in the same order
and without dropout. --data is the folder that everyday.py --only "several labels" has written. Prints the largest
relative difference. Needs torch and transformers."""
import json, os, pathlib, tempfile
import programs

p = programs.parser(__doc__, "model", "data")
a = p.parse_args()

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

EPOCHS, BATCH, RATE, DECAY, WARMUP = 3, 32, 5e-5, 0.01, 0.06
rows = [line.split("\t") for line in pathlib.Path(a.data, "train.tsv").read_text("utf-8").splitlines()[1:]]
names = sorted({name for _, labels in rows for name in labels.split(",") if name})
targets = torch.tensor([[float(name in labels.split(",")) for name in names] for _, labels in rows])
torch.manual_seed(0)
tokenizer = AutoTokenizer.from_pretrained(a.model)
net = AutoModelForSequenceClassification.from_pretrained(
    a.model, num_labels=len(names), problem_type="multi_label_classification", id2label=dict(enumerate(names)),
    label2id={name: i for i, name in enumerate(names)}, hidden_dropout_prob=0, attention_probs_dropout_prob=0)

with tempfile.TemporaryDirectory() as folder:
    net.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    programs.run(a.build, "train", "--model", folder, "--data", a.data, "--output", os.path.join(folder, "o.h5"), "--task", "multi-label",
                 "--epochs", EPOCHS, "--batch-size", BATCH, "--learning-rate", RATE, "--weight-decay", DECAY, "--warmup", WARMUP, "--shuffle", "false",
                 "--dropout", 0, "--precision", "f32", "--log-dir", folder)
    lines = [json.loads(line) for line in pathlib.Path(folder, "metrics.jsonl").read_text().splitlines()]
ours = [line["loss"] for line in lines if "eval_loss" not in line]

plain = [q for name, q in net.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
decayed = [q for name, q in net.named_parameters() if not (name.endswith("bias") or "LayerNorm" in name)]
optimizer = torch.optim.AdamW([{"params": plain, "weight_decay": 0.0}, {"params": decayed, "weight_decay": DECAY}], lr=RATE)
schedule = get_linear_schedule_with_warmup(optimizer, int(WARMUP * len(ours)), len(ours))
net.train()
theirs = []
for _ in range(EPOCHS):
    for begin in range(0, len(rows), BATCH):
        batch = tokenizer([text for text, _ in rows[begin:begin + BATCH]], padding=True, truncation=True, max_length=128, return_tensors="pt")
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(**batch).logits, targets[begin:begin + BATCH])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        theirs.append(loss.item())
assert len(ours) == len(theirs), (len(ours), len(theirs))
worst = max(abs(x - y) / y for x, y in zip(ours, theirs))
print(f"{len(ours)} losses from {theirs[0]:.4f} to {theirs[-1]:.4f}: the largest relative difference is {worst:.1e}")
