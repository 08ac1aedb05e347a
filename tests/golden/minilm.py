# SPDX-License-Identifier: Apache-2.0
"""Golden values of a real encoder on real text (tests/apps/minilm_slow_test.cpp): MiniLM-L6 with a fixed classifier on the first rows of SST-2's dev.tsv, by Hugging
Face transformers in f32: token ids, logits, and losses and gradient norms of training steps with dropout 0. Usage: python minilm.py MODEL_DIR dev.tsv > minilm.txt"""
import sys
import torch
import transformers
from transformers import BertForSequenceClassification, BertTokenizerFast

from golden import uniform

ROWS, STEPS, BATCH, RATE = 64, 8, 8, 5e-5
tokenizer = BertTokenizerFast.from_pretrained(sys.argv[1])
model = BertForSequenceClassification.from_pretrained(sys.argv[1], num_labels=2, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
for name in ("classifier.weight", "classifier.bias"):
    parameter = model.get_parameter(name)
    parameter.data = torch.from_numpy(uniform(name, 0, tuple(parameter.shape), 0.1)).float()

rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(sys.argv[2], encoding="utf8")][1:ROWS + 1]
def encode(some): return tokenizer([text for text, _ in some], truncation=True, max_length=128, padding=True, return_tensors="pt")


print("# transformers", transformers.__version__, "on PyTorch", torch.__version__, "in f32; made by minilm.py")
for i, (text, _) in enumerate(rows):
    print(f"ids/{i}", *tokenizer(text)["input_ids"])
model.eval()
with torch.inference_mode():
    for i, logits in enumerate(model(**encode(rows)).logits):
        print(f"logits/{i}", *(f"{v:.7f}" for v in logits.tolist()))

model.train()
undecayed = ("bias", "LayerNorm.weight")
optimizer = torch.optim.AdamW([{"params": [p for n, p in model.named_parameters() if n.endswith(undecayed) == plain], "weight_decay": 0.0 if plain else 0.01}
                               for plain in (False, True)], lr=RATE)
losses, norms = [], []
for step in range(STEPS):
    batch = rows[step * BATCH:(step + 1) * BATCH]
    loss = model(**encode(batch), labels=torch.tensor([int(label) for _, label in batch])).loss
    loss.backward()
    norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
    losses.append(loss.item())
    optimizer.step()
    optimizer.zero_grad()
print("losses", *(f"{v:.7f}" for v in losses))
print("gradient_norms", *(f"{v:.6f}" for v in norms))
