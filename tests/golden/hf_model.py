# SPDX-License-Identifier: Apache-2.0
"""Writes the small Hugging Face model that tests/data/models/hf_test.cpp and model_source_test.cpp load, and its logits.

    python tests/golden/hf_model.py

hf_model/: BertForSequenceClassification as transformers saves it, its vocabulary, and expected.json with token ids and logits. hf_model_sharded/: the same
weights in several files. types.safetensors: the same numbers in each floating-point type, and tensors of other types, as the safetensors package writes them.
Made with torch 2.13, transformers 5.24 and safetensors 0.8.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

HERE = pathlib.Path(__file__).parent
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] a the film is good bad fine not very dull ##ly ##er ##s story plot . , ! ' -".split()
TEXTS = ["a good film", "the plot is very dull.", "unknown words", "the story is not bad, the films finely finer!"]


def main():
    torch.manual_seed(1)
    config = BertConfig(vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, max_position_embeddings=20,
                        hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.05, classifier_dropout=0.3, initializer_range=0.3, layer_norm_eps=1e-6,
                        id2label={0: "negative", 1: "neutral", 2: "positive"}, label2id={"negative": 0, "neutral": 1, "positive": 2})
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "LayerNorm" in name or name.endswith("bias"):
                p.add_(torch.randn_like(p) * 0.1)  # no two parameters alike, so that a mix-up shows
    directory = HERE / "hf_model"
    model.save_pretrained(directory)
    (directory / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    (directory / "tokenizer_config.json").write_text('{"do_lower_case": true, "tokenizer_class": "BertTokenizer"}\n')
    model.save_pretrained(HERE / "hf_model_sharded", max_shard_size="4KB")
    (HERE / "hf_model_sharded" / "config.json").unlink()

    tokenizer = BertTokenizerFast.from_pretrained(directory)
    rows = []
    with torch.no_grad():
        for text in TEXTS:
            ids = tokenizer(text)["input_ids"]
            rows.append({"text": text, "ids": ids, "logits": model(torch.tensor([ids])).logits[0].tolist()})
    state = model.state_dict()
    (directory / "expected.json").write_text(json.dumps({
        "sums": {name: value.double().sum().item() for name, value in state.items() if value.is_floating_point()}, "texts": rows}, indent=1) + "\n")

    numbers = torch.tensor([[0.0, -0.0, 1.0], [-2.5, 65504.0, 6e-8]], dtype=torch.float64)
    tensors = {str(t).split(".")[1]: numbers.to(t) for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    tensors |= {"position_ids": torch.arange(5).reshape(1, 5), "mask": torch.tensor([True, False]), "scalar": torch.tensor(7.0), "empty": torch.zeros(0, 3),
                "five": torch.zeros(1, 1, 1, 1, 2)}
    save_file(tensors, HERE / "types.safetensors", metadata={"format": "pt", "note": "each type"})


if __name__ == "__main__":
    main()
