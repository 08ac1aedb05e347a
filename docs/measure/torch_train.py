# SPDX-License-Identifier: Apache-2.0
"""The peer of training_speed.py: training steps of BERT with PyTorch and Hugging Face transformers on two threads, with
AdamW, clipping and autocast for bf16. Prints the real tokens a second, without padding, as a JSON object."""
import json, os, random, time
import programs

p = programs.parser(__doc__, "data")
p.add_argument("--minilm", required=True, help="Hugging Face directory of MiniLM-L6; its tokenizer serves both models")
p.add_argument("--size", choices=("base", "minilm"), default="base")
p.add_argument("--precision", choices=("f32", "bf16"), default="f32")
p.add_argument("--padding", choices=("128", "dynamic", "group", "long"), default="dynamic",
               help="to 128 tokens; to the longest of the batch; likewise, with sentences sorted by length first; long: random tokens, 512 in each sentence")
p.add_argument("--batch-size", type=int, default=32)
p.add_argument("--steps", type=int, default=20)
a = p.parse_args()

import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

torch.set_num_threads(2)
torch.manual_seed(0)
random.seed(0)
WARM_UP = 1 if a.padding == "long" else 3  # steps that are not counted


def sst2_batches():
    """(ids, mask, labels) of each batch."""
    rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(os.path.join(a.data, "train.tsv"), encoding="utf8")][1:]
    random.shuffle(rows)
    rows = rows[:a.batch_size * (a.steps + WARM_UP)]
    tokens = BertTokenizerFast.from_pretrained(a.minilm)([text for text, _ in rows], truncation=True, max_length=128)["input_ids"]
    examples = list(zip(tokens, [int(label) for _, label in rows]))
    if a.padding == "group":
        examples.sort(key=lambda e: len(e[0]))
    batches = []
    for i in range(0, len(examples), a.batch_size):
        part = examples[i:i + a.batch_size]
        length = 128 if a.padding == "128" else max(len(x) for x, _ in part)
        ids = torch.zeros(len(part), length, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for j, (x, _) in enumerate(part):
            ids[j, :len(x)], mask[j, :len(x)] = torch.tensor(x), 1
        batches.append((ids, mask, torch.tensor([y for _, y in part])))
    if a.padding == "group":
        random.shuffle(batches)
    return batches


def long_batches():
    ids = torch.randint(1000, 30000, (a.batch_size, 512))
    return [(ids, torch.ones_like(ids), torch.randint(0, 2, (a.batch_size,)))] * (a.steps + WARM_UP)


model = BertForSequenceClassification(BertConfig(num_labels=2)) if a.size == "base" else BertForSequenceClassification.from_pretrained(a.minilm, num_labels=2)
model.train()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5, weight_decay=0.01, fused=True)


def step(ids, mask, labels):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.precision == "bf16"):
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


batches = long_batches() if a.padding == "long" else sst2_batches()
for batch in batches[:WARM_UP]:
    step(*batch)
start = time.time()
for batch in batches[WARM_UP:]:
    step(*batch)
print(json.dumps({"tokens_per_second": sum(int(mask.sum()) for _, mask, _ in batches[WARM_UP:]) / (time.time() - start)}))
