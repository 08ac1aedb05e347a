# SPDX-License-Identifier: Apache-2.0
"""Encoders beside BERT at their full size, with random weights from transformers' configurations: whether the logits are
those of transformers on rows of dev.tsv, whether 20 training steps without dropout have PyTorch's losses, and whether
export --format hf gives the same logits in transformers again. Prints a Markdown table. Run it with a Python that has
torch, transformers and tokenizers. The figures do not depend on what else runs on the machine."""
import json, os, sys, tempfile
import programs

p = programs.parser(__doc__, "data")
p.add_argument("--encoders", default="distilbert-base,roberta-base,electra-small,electra-base,bert-gelu-new", help="which ones (default: all)")
p.add_argument("--rows", type=int, default=100, help="of dev.tsv, for the logits (default 100)")
p.add_argument("--steps", type=int, default=20, help="of training, with 8 sentences each (default 20)")
p.add_argument("--learning-rate", type=float, default=2e-5)
p.add_argument("--bin", action="store_true", help="have transformers' weights in pytorch_model.bin instead of model.safetensors")
a = p.parse_args()

import numpy, torch, transformers
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig, DistilBertConfig, ElectraConfig, RobertaConfig

BATCH = 8
CONFIGS = {
    "distilbert-base": lambda: DistilBertConfig(num_labels=2),
    "roberta-base": lambda: RobertaConfig(num_labels=2, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5),
    "electra-small": lambda: ElectraConfig(num_labels=2),
    "electra-base": lambda: ElectraConfig(num_labels=2, embedding_size=768, hidden_size=768, num_attention_heads=12, intermediate_size=3072),
    "bert-gelu-new": lambda: BertConfig(num_labels=2, hidden_act="gelu_new"),
}
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def rows_of(name):
    lines = open(os.path.join(a.data, name), encoding="utf8").read().splitlines()
    return [line.split("\t") for line in lines[1:]]


def make(name, directory, texts):
    """A Hugging Face directory with random weights and a tokenizer that was trained on the texts."""
    torch.manual_seed(0)
    config = CONFIGS[name]()
    model = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key.endswith("bias") or "norm" in key.lower():
                parameter.add_(torch.randn_like(parameter) * 0.02)  # else many are all zeros or ones
    model.save_pretrained(directory)
    if a.bin:
        torch.save(model.state_dict(), os.path.join(directory, "pytorch_model.bin"))
        os.remove(os.path.join(directory, "model.safetensors"))
    if config.model_type == "roberta":
        bpe = ByteLevelBPETokenizer()
        bpe.train_from_iterator(texts, vocab_size=8000, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False)
        bpe.save_model(directory)
        kind = "RobertaTokenizer"
    else:
        pieces = BertWordPieceTokenizer()
        pieces.train_from_iterator(texts, vocab_size=8000, show_progress=False)
        pieces.save_model(directory)
        kind = {"bert": "BertTokenizer", "distilbert": "DistilBertTokenizer", "electra": "ElectraTokenizer"}[config.model_type]
    with open(os.path.join(directory, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": kind, "model_max_length": 512} | ({} if config.model_type == "roberta" else {"do_lower_case": True}), file)


def peers_logits(directory, texts):
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModelForSequenceClassification.from_pretrained(directory).eval()
    with torch.no_grad():
        return numpy.array([model(**tokenizer(text, truncation=True, max_length=128, return_tensors="pt")).logits[0].numpy() for text in texts])


def own_logits(model, work, data):
    path = os.path.join(work, "logits.tsv")
    programs.run(a.build, "evaluate", "--model", model, "--data", data, "--precision", "f32", "--logits", path, "--overwrite")
    return numpy.loadtxt(path, dtype=numpy.float64, ndmin=2)


def peers_losses(directory, rows):
    tokenizer, model = AutoTokenizer.from_pretrained(directory), AutoModelForSequenceClassification.from_pretrained(directory).eval()  # no dropout
    plain = [q for name, q in model.named_parameters() if name.endswith("bias") or "norm" in name.lower()]
    decayed = [q for q in model.parameters() if all(q is not other for other in plain)]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=a.learning_rate)
    losses = []
    for step in range(a.steps):
        part = rows[step * BATCH:(step + 1) * BATCH]
        fed = tokenizer([text for text, _ in part], truncation=True, max_length=128, padding=True, return_tensors="pt")
        loss = model(**fed, labels=torch.tensor([int(label) for _, label in part])).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return numpy.array(losses)


def own_losses(directory, work, data):
    output, log = os.path.join(work, "trained.h5"), os.path.join(work, "log")
    programs.run(a.build, "train_sst2", "--model", directory, "--data", data, "--output", output, "--overwrite", "--log-dir", log, "--batch-size", BATCH,
                 "--max-steps", a.steps, "--dropout", 0, "--shuffle", "false", "--schedule", "constant", "--warmup", 0, "--learning-rate", a.learning_rate,
                 "--precision", "f32", "--max-length", 128)
    lines = [json.loads(line) for line in open(os.path.join(log, "metrics.jsonl"))]
    return numpy.array([line["loss"] for line in lines if "loss" in line])


def main():
    train, dev = rows_of("train.tsv")[:a.steps * BATCH], rows_of("dev.tsv")[:a.rows]
    print("| encoder | parameters | largest difference of a logit | of a loss, relative | of a logit after export |\n|---|---|---|---|---|")
    for name in a.encoders.split(","):
        with tempfile.TemporaryDirectory() as work:
            directory, back = os.path.join(work, "model"), os.path.join(work, "back")
            os.mkdir(directory)
            make(name, directory, [row[0] for row in rows_of("train.tsv")[:20000]])
            for file, rows in (("train.tsv", train), ("dev.tsv", dev)):
                with open(os.path.join(work, file), "w", encoding="utf8") as out:
                    out.write("sentence\tlabel\n" + "".join("\t".join(row) + "\n" for row in rows))
            texts = [row[0] for row in dev]
            expected, found = peers_logits(directory, texts), own_logits(directory, work, os.path.join(work, "dev.tsv"))
            losses, own = peers_losses(directory, train), own_losses(directory, work, work)
            programs.run(a.build, "export", "--model", directory, "--format", "hf", "--output", back)
            again = peers_logits(back, texts)
            parameters = sum(q.numel() for q in AutoModelForSequenceClassification.from_pretrained(directory).parameters())
            print(f"| {name} | {parameters / 1e6:.1f} M | {abs(expected - found).max():.1e} | {abs(own[:len(losses)] / losses - 1).max():.1e} | "
                  f"{abs(again - expected).max():.1e} |", flush=True)
            assert len(own) == len(losses), (len(own), len(losses))


if __name__ == "__main__":
    main()
