# SPDX-License-Identifier: Apache-2.0
"""Writes the small encoders that tests/data/models/encoders_test.cpp opens, and what transformers computes with them.

    python tests/golden/encoders.py

encoders/NAME: a model with random weights as transformers saves it, its tokenizer, and expected.json with token ids, logits in evaluation, and the losses
of 20 steps of AdamW in double precision, without dropout. Made with torch 2.13, transformers 5.24 and tokenizers 0.22.
"""
import json
import pathlib
import shutil

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoModelForSequenceClassification, BertConfig, DistilBertConfig, ElectraConfig, RobertaConfig, RobertaTokenizerFast

from hf_model import WORDS

HERE = pathlib.Path(__file__).parent / "encoders"
TEXTS = ["a good film", "the plot is very dull.", "not bad, not good, the stories are fine"] * 40
LABELS = dict(id2label={0: "negative", 1: "neutral", 2: "positive"}, label2id={"negative": 0, "neutral": 1, "positive": 2})
SHAPE = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, max_position_embeddings=20, initializer_range=0.3,
             hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.05, classifier_dropout=0.3, vocab_size=len(WORDS), **LABELS)
CONFIGS = {
    "distilbert": DistilBertConfig(dim=8, n_layers=2, n_heads=2, hidden_dim=12, max_position_embeddings=20, initializer_range=0.3, dropout=0.2,
                                   attention_dropout=0.05, seq_classif_dropout=0.3, vocab_size=len(WORDS), **LABELS),
    "distilbert_relu": DistilBertConfig(dim=8, n_layers=1, n_heads=4, hidden_dim=12, max_position_embeddings=20, initializer_range=0.3, activation="relu",
                                        vocab_size=len(WORDS), **LABELS),
    "roberta": RobertaConfig(**SHAPE | dict(vocab_size=290, max_position_embeddings=22, type_vocab_size=1, layer_norm_eps=1e-5)),
    "electra": ElectraConfig(**SHAPE, embedding_size=6),
    "electra_silu": ElectraConfig(**SHAPE, embedding_size=8, hidden_act="silu"),
    "bert_gelu_new": BertConfig(**SHAPE, hidden_act="gelu_new"),
}


def tokenizer(directory, config):
    if config.model_type == "roberta":
        trained = ByteLevelBPETokenizer()
        trained.train_from_iterator(TEXTS, vocab_size=config.vocab_size - 1, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False)
        trained.add_special_tokens(["<mask>"])
        trained.save(str(directory / "trained.json"))
        RobertaTokenizerFast(tokenizer_file=str(directory / "trained.json"), model_max_length=20).save_pretrained(directory)
        (directory / "trained.json").unlink()
        model = json.loads((directory / "tokenizer.json").read_text())["model"]
        assert len(model["vocab"]) <= config.vocab_size
    else:
        (directory / "vocab.txt").write_text("\n".join(WORDS) + "\n")
        kind = {"bert": "Bert", "distilbert": "DistilBert", "electra": "Electra"}[config.model_type]
        (directory / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "tokenizer_class": kind + "Tokenizer"}) + "\n")


def inputs(config, seed):
    """Rows of ids with the special tokens of the tokenizer; the second half of a row is segment 1, where there are segments."""
    generator = torch.Generator().manual_seed(seed)
    first, last = (0, 2) if config.model_type == "roberta" else (2, 3)
    rows, segments = [], []
    for length in (7, 2, 19, 11):
        middle = torch.randint(5, config.vocab_size - 10 if config.model_type == "roberta" else config.vocab_size, (length - 2,), generator=generator).tolist()
        rows.append([first, *middle, last])
        segments.append([int(i > length / 2 and getattr(config, "type_vocab_size", 0) > 1) for i in range(length)])
    return rows, segments


def forward(model, rows, segments):
    longest = max(map(len, rows))
    padding = model.config.pad_token_id
    fed = {"input_ids": torch.tensor([row + [padding] * (longest - len(row)) for row in rows]),
           "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])}
    if getattr(model.config, "type_vocab_size", 0) > 1:
        fed["token_type_ids"] = torch.tensor([row + [0] * (longest - len(row)) for row in segments])
    return model(**fed).logits


def losses(model, config):
    model = model.double().eval()  # no dropout
    decayed = [p for name, p in model.named_parameters() if not name.endswith("bias") and "LayerNorm" not in name and "layer_norm" not in name]
    others = [p for p in model.parameters() if all(p is not q for q in decayed)]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=3e-3)
    found = []
    for step in range(20):
        rows, segments = inputs(config, 100 + step % 3)
        loss = torch.nn.functional.cross_entropy(forward(model, rows, segments), torch.tensor([0, 2, 1, step % 3]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def main():
    for name, config in CONFIGS.items():
        torch.manual_seed(1)
        model = AutoModelForSequenceClassification.from_config(config).eval()
        with torch.no_grad():
            for key, p in model.named_parameters():
                if key.endswith("bias") or "norm" in key.lower():
                    p.add_(torch.randn_like(p) * 0.1)  # no two parameters alike, so that a mix-up shows
        directory = HERE / name
        shutil.rmtree(directory, ignore_errors=True)
        model.save_pretrained(directory)
        tokenizer(directory, config)
        rows, segments = inputs(config, 7)
        if config.model_type == "roberta":
            rows[2][5] = rows[2][9] = 1  # <pad>, as a text may spell it: it has no position of its own
        with torch.no_grad():
            logits = [model(input_ids=torch.tensor([row]), attention_mask=torch.ones(1, len(row), dtype=torch.long),
                            **({"token_type_ids": torch.tensor([s])} if getattr(config, "type_vocab_size", 0) > 1 else {})).logits[0].tolist()
                      for row, s in zip(rows, segments)]
        training = [dict(zip(("ids", "segments"), inputs(config, 100 + i))) for i in range(3)]
        (directory / "expected.json").write_text(json.dumps({"rows": [{"ids": i, "segments": s, "logits": l} for i, s, l in zip(rows, segments, logits)],
                                                             "training": training, "losses": losses(model, config)}) + "\n")


if __name__ == "__main__":
    main()
