# SPDX-License-Identifier: Apache-2.0
"""Golden values of one encoder layer and of a whole small BERT (tests/nn/layer_test.cpp, bert_test.cpp): outputs and gradients in double
precision by Hugging Face transformers, on padded batches. Usage: python encoder.py > encoder.txt"""
import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification
from transformers.models.bert.modeling_bert import BertLayer

from golden import record, uniform

torch.set_default_dtype(torch.float64)
LENGTHS = [3, 7, 1]
PRESENT = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]  # [sentences, longest]
CONFIG = BertConfig(vocab_size=40, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=16,
                    type_vocab_size=2, num_labels=3, attn_implementation="eager", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def fill(module):
    """Values in (-0.3, 0.3) by the parameter's name; one more for the weights of layer norms."""
    for name, parameter in module.named_parameters():
        parameter.data = torch.from_numpy(uniform(name, 0, tuple(parameter.shape), 0.3)) + (1 if name.endswith("LayerNorm.weight") else 0)
    return module.eval()


def padded(rows):
    out = torch.zeros(*PRESENT.shape, *rows.shape[1:], dtype=rows.dtype)
    out[PRESENT] = rows
    return out


def print_gradients(module, prefix):
    for name, parameter in sorted(module.named_parameters()):
        print(record(prefix + name, parameter.grad))


print("# transformers", transformers.__version__, "on PyTorch", torch.__version__, "in double precision; made by encoder.py")
tokens = sum(LENGTHS)

layer = fill(BertLayer(CONFIG))
x = torch.from_numpy(uniform("layer input", 0, (tokens, 32), 1)).requires_grad_()
mask = torch.where(PRESENT, 0.0, -torch.inf)[:, None, None, :]
y = layer(padded(x), attention_mask=mask)
y = (y[0] if isinstance(y, tuple) else y)[PRESENT]
y.backward(torch.from_numpy(uniform("layer output", 0, (tokens, 32), 1)))
print(record("layer/output", y.detach()))
print(record("layer/input_gradient", x.grad))
print_gradients(layer, "layer/")

model = fill(BertForSequenceClassification(CONFIG))
ids = torch.tensor([(7 * i * i + 3 * i + 1) % 40 for i in range(tokens)])
segments = torch.tensor([1 if i % 5 == 4 else 0 for i in range(tokens)])
out = model(input_ids=padded(ids), token_type_ids=padded(segments), attention_mask=PRESENT.long(), labels=torch.tensor([2, 0, 1]))
out.loss.backward()
print(record("bert/logits", out.logits.detach()))
print(record("bert/loss", out.loss.detach().reshape(1)))
print_gradients(model, "bert/")
