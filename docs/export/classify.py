# SPDX-License-Identifier: Apache-2.0
"""classify.py DIRECTORY TEXT…: the most probable class of each text. Needs onnxruntime and tokenizers."""
import json, sys

import numpy, onnxruntime, tokenizers

directory, texts = sys.argv[1], sys.argv[2:]
labels = json.load(open(directory + "/config.json", encoding="utf8"))["id2label"]
tokenizer = tokenizers.Tokenizer.from_file(directory + "/tokenizer.json")
tokenizer.enable_truncation(128)
tokenizer.enable_padding(pad_id=tokenizer.token_to_id("[PAD]"))
session = onnxruntime.InferenceSession(directory + "/onnx/model.onnx")

tokens = tokenizer.encode_batch(texts)
logits = session.run(None, {
    "input_ids": numpy.array([t.ids for t in tokens], numpy.int64),
    "attention_mask": numpy.array([t.attention_mask for t in tokens], numpy.int64),
    "token_type_ids": numpy.array([t.type_ids for t in tokens], numpy.int64),
})[0]
for text, row in zip(texts, logits):
    shares = numpy.exp(row - row.max())
    print(f"{labels[str(row.argmax())]} {shares.max() / shares.sum():.4f} {text}")
