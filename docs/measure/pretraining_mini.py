# SPDX-License-Identifier: Apache-2.0
"""A small BERT pre-trained from nothing, here and with PyTorch, by the same recipe; then fine-tuned on SST-2, and MiniLM
with and without further pre-training on SST-2's text. Writes runs/pretraining/results.json and prints the tables of
docs/results/PRETRAINING.md.

The text is what the machine has: docstrings of the Python packages below each --python folder, a paragraph a line and a
module a document, up to --megabytes of them; and the texts of SST-2's train.tsv, each a document. Of every hundred
documents one is held out.

    python docs/measure/pretraining_mini.py --sst2 runs/data/sst2 --python /usr/lib/python3 --apps build/apps

needs torch, transformers and h5py. All runs have one thread.
"""
import argparse
import ast
import json
import math
import pathlib
import random
import re
import subprocess
import time

import h5py
import torch
import transformers

SEEDS = (0, 1, 2)
LENGTH, BATCH = 64, 32
RECIPE = dict(rate=1e-3, warmup=0.1, decay=0.01, clip=1.0)


def paragraphs(root, limit):
    """Documents, each a list of paragraphs of English text."""
    total, seen = 0, set()
    for path in sorted(pathlib.Path(root).rglob("*.py")):
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError):
            continue
        lines = []
        for node in ast.walk(tree):
            if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for part in re.split(r"\n\s*\n", ast.get_docstring(node) or ""):
                words = part.split()
                line = " ".join(words)
                letters = sum(word.strip(".,;:()").isalpha() for word in words)
                if len(words) < 8 or ">>>" in line or letters < 0.8 * len(words) or line in seen:
                    continue
                seen.add(line)
                lines.append(line)
        if lines:
            total += sum(map(len, lines))
            yield lines
        if total > limit:
            return


def write_corpus(folder, options):
    documents = []
    for root in options.python:
        documents += paragraphs(root, options.megabytes * 1e6 / len(options.python))
    rows = (options.sst2 / "train.tsv").read_text("utf-8").splitlines()[1:]
    documents += [[row.split("\t")[0].strip()] for row in rows]
    parts = {"train": [d for i, d in enumerate(documents) if i % 100], "dev": documents[::100]}
    for name, part in parts.items():
        (folder / f"{name}.txt").write_text("".join("\n".join(d) + "\n\n" for d in part), "utf-8")
    texts = {name: sum(len(line) for d in part for line in d) for name, part in parts.items()}
    return parts, {"documents": len(documents), "characters": texts}


def program(options, name, *arguments):
    command = ["nice", str(options.apps / name), *map(str, arguments), "--json", "--quiet", "--threads", "1", "--overwrite"]
    begin = time.time()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"{time.time() - begin:.0f} s: {' '.join(command[1:])}", flush=True)
    return result


def pretrain(options, folder, output, steps, *more):
    return program(options, "pretrain", "--model", "random:mini", "--vocab", folder / "vocab", "--corpus",
                   folder / "train.txt", "--dev-corpus", folder / "dev.txt", "--max-length", LENGTH, "--batch-size", BATCH,
                   "--max-steps", steps, "--epochs", 100, "--learning-rate", RECIPE["rate"], "--warmup", RECIPE["warmup"],
                   "--output", output, *more)


class Sequences:
    """create_pretraining_data.py of BERT: pairs of up to LENGTH tokens, and masks of 15 %, 80/10/10."""

    def __init__(self, documents, tokenizer, seed):
        self.tokenizer, self.random = tokenizer, random.Random(seed)
        room = LENGTH - 3
        self.documents = []
        for document in documents:
            lines = []
            for ids in tokenizer(document, add_special_tokens=False)["input_ids"]:
                lines += [ids[i:i + room // 2] for i in range(0, len(ids), room // 2)]
            if lines:
                self.documents.append(lines)
        self.ordinary = [i for i in range(len(tokenizer)) if i not in tokenizer.all_special_ids]
        self.specials = set(tokenizer.all_special_ids)

    def of(self, number):
        document, draw, room = self.documents[number], self.random, LENGTH - 3
        wanted = draw.randint(2, room) if draw.random() < 0.1 else room
        begin = 0
        while begin < len(document):
            end = begin + 1
            while end < len(document) and sum(map(len, document[begin:end])) < wanted:
                end += 1
            middle = draw.randint(begin + 1, end - 1) if end - begin > 1 else end
            first, drawn = sum(document[begin:middle], []), int(end - begin == 1 or draw.random() < 0.5)
            if drawn:
                other = draw.randrange(len(self.documents) - 1)
                lines = self.documents[other + (other >= number)]
                second = []
                for line in lines[draw.randrange(len(lines)):]:
                    second += line
                    if len(second) >= wanted - len(first):
                        break
                end = middle
            else:
                second = sum(document[middle:end], [])
            while len(first) + len(second) > room:
                longer = first if len(first) > len(second) else second
                longer.pop(0 if draw.random() < 0.5 else -1)
            yield first, second, drawn
            begin = end

    def epoch(self):
        all_of_them = [s for number in range(len(self.documents)) for s in self.of(number)]
        self.random.shuffle(all_of_them)
        return all_of_them

    def batch(self, sequences):
        t, rows = self.tokenizer, []
        for first, second, drawn in sequences:
            ids = [t.cls_token_id, *first, t.sep_token_id, *second, t.sep_token_id]
            segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
            labels = [-100] * len(ids)
            places = [i for i, token in enumerate(ids) if token not in self.specials]
            self.random.shuffle(places)
            for i in places[:max(1, round(0.15 * len(ids)))]:
                labels[i], kind = ids[i], self.random.random()
                if kind < 0.9:
                    ids[i] = t.mask_token_id if kind < 0.8 else self.random.choice(self.ordinary)
            rows.append((ids, segments, labels, drawn))
        width = max(len(row[0]) for row in rows)
        pad = lambda values, value: values + [value] * (width - len(values))
        return dict(input_ids=torch.tensor([pad(r[0], 0) for r in rows]),
                    token_type_ids=torch.tensor([pad(r[1], 0) for r in rows]),
                    attention_mask=torch.tensor([pad([1] * len(r[0]), 0) for r in rows]),
                    labels=torch.tensor([pad(r[2], -100) for r in rows]), drawn=torch.tensor([r[3] for r in rows]))


def losses(model, batch):
    """As BertForPreTraining, with the decoder for masked tokens only."""
    out = model.bert(**{name: batch[name] for name in ("input_ids", "token_type_ids", "attention_mask")})
    masked = batch["labels"] >= 0
    words = model.cls.predictions(out.last_hidden_state[masked])
    pairs = model.cls.seq_relationship(out.pooler_output)
    cross_entropy = torch.nn.functional.cross_entropy
    return cross_entropy(words, batch["labels"][masked]), cross_entropy(pairs, batch["drawn"]), int(masked.sum())


def evaluate(model, batches):
    model.eval()
    words = pairs = masked_tokens = sequences = 0
    with torch.no_grad():
        for batch in batches:
            word, pair, masked = losses(model, batch)
            words, masked_tokens = words + float(word) * masked, masked_tokens + masked
            pairs, sequences = pairs + float(pair) * len(batch["drawn"]), sequences + len(batch["drawn"])
    model.train()
    return {"masked_loss": words / masked_tokens, "pair_loss": pairs / sequences}


def new_model(tokenizer):
    return transformers.BertForPreTraining(transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024,
        attn_implementation="eager"))


def dev_batches(parts, tokenizer):
    dev = Sequences(parts["dev"], tokenizer, 1)
    sequences = dev.epoch()
    return [dev.batch(sequences[i:i + BATCH]) for i in range(0, len(sequences), BATCH)]


def torch_pretraining(parts, tokenizer, steps, seed):
    torch.manual_seed(seed)
    model = new_model(tokenizer)
    model.train()
    plain = [p for n, p in model.named_parameters() if "LayerNorm" in n or n.endswith("bias")]
    decayed = [p for n, p in model.named_parameters() if not ("LayerNorm" in n or n.endswith("bias"))]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": RECIPE["decay"]},
                                   {"params": plain, "weight_decay": 0}], lr=RECIPE["rate"])
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, int(RECIPE["warmup"] * steps), steps)
    train, ready = Sequences(parts["train"], tokenizer, seed + 2), []
    for _ in range(steps):
        if len(ready) < BATCH:
            ready += train.epoch()
        batch, ready = train.batch(ready[:BATCH]), ready[BATCH:]
        word, pair, _ = losses(model, batch)
        (word + pair).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), RECIPE["clip"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return model


def with_weights_of(checkpoint, tokenizer):
    model = new_model(tokenizer)
    with h5py.File(checkpoint) as file:
        weights = {name: torch.tensor(file["weights"][name][()]) for name in file["weights"]}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and all(name.startswith("cls.predictions.decoder") or name.endswith("position_ids")
                                  for name in missing), (missing, unexpected)
    model.tie_weights()
    with torch.no_grad():
        model.cls.predictions.decoder.bias.copy_(model.cls.predictions.bias)
    return model


def fine_tuned(options, model, data, folder, rate, epochs, *more):
    values = []
    for seed in SEEDS:
        result = program(options, "train", "--model", model, "--data", data, "--output", folder / "tuned.h5", "--epochs",
                         epochs, "--learning-rate", rate, "--seed", seed, "--max-length", LENGTH, "--precision", "bf16",
                         *more)
        values.append(100 * result["eval_accuracy"])
    mean = sum(values) / len(values)
    return {"accuracy": values, "mean": mean,
            "deviation": math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))}


def subset(options, folder):
    data = folder / "sst2"
    data.mkdir(exist_ok=True)
    lines = (options.sst2 / "train.tsv").read_text("utf-8").splitlines()
    head, rows = lines[0], lines[1:]
    random.Random(0).shuffle(rows)
    (data / "train.tsv").write_text("\n".join([head, *rows[:options.rows]]) + "\n", "utf-8")
    (data / "dev.tsv").write_bytes((options.sst2 / "dev.tsv").read_bytes())
    return data


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sst2", type=pathlib.Path, required=True)
    parser.add_argument("--python", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--apps", type=pathlib.Path, default=pathlib.Path("build/apps"))
    parser.add_argument("--minilm", type=pathlib.Path)
    parser.add_argument("--megabytes", type=float, default=4)
    parser.add_argument("--steps", type=int, default=600, help="of the comparison with PyTorch")
    parser.add_argument("--more-steps", type=int, default=2400, help="before fine-tuning")
    parser.add_argument("--further-steps", type=int, default=400, help="of MiniLM on SST-2's text")
    parser.add_argument("--rows", type=int, default=8000, help="of SST-2 for fine-tuning")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("runs/pretraining"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    results = {}

    def keep(name, value):
        results[name] = value
        print(name, value, flush=True)
        (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")

    parts, text = write_corpus(folder, options)
    keep("text", text)
    if not (folder / "vocab").exists():
        subprocess.run([options.apps / "train_vocab", "--input", folder / "train.txt", "--size", "8000", "--output",
                        folder / "vocab", "--quiet"], check=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "vocab")
    keep("espalier, own dev masks", pretrain(options, folder, folder / "short.h5", options.steps, "--precision", "f32"))
    batches = dev_batches(parts, tokenizer)
    keep("espalier", evaluate(with_weights_of(folder / "short.h5", tokenizer), batches))
    pretrain(options, folder, folder / "mini.h5", options.more_steps, "--precision", "bf16")
    keep("espalier, more steps", evaluate(with_weights_of(folder / "mini.h5", tokenizer), batches))
    data = subset(options, folder)
    keep("mini, pre-trained", fine_tuned(options, folder / "mini.h5", data, folder, 2e-4, 2))
    keep("mini, random", fine_tuned(options, "random:mini", data, folder, 2e-4, 2, "--vocab", folder / "vocab"))
    begin = time.time()
    keep("torch", evaluate(torch_pretraining(parts, tokenizer, options.steps, 0), batches))
    keep("torch seconds", time.time() - begin)
    if options.minilm:
        keep("minilm", fine_tuned(options, options.minilm, data, folder, 5e-5, 1))
        keep("further", program(options, "pretrain", "--model", options.minilm, "--corpus", options.sst2 / "train.tsv",
                                "--next-sentence", "false", "--max-length", LENGTH, "--max-steps", options.further_steps,
                                "--batch-size", 64, "--output", folder / "minilm.h5", "--precision", "bf16"))
        keep("minilm, further pre-trained", fine_tuned(options, folder / "minilm.h5", data, folder, 5e-5, 1))


if __name__ == "__main__":
    main()
