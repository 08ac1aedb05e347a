# SPDX-License-Identifier: Apache-2.0
"""A small BERT pre-trained from nothing, here and with PyTorch, by the same recipe; then fine-tuned on SST-2, and MiniLM
with and without further pre-training on SST-2's text. Writes runs/pretraining/results.json and prints the figures of
docs/results/PRETRAINING.md. What results.json has is not measured again.

The text: WordNet's glosses with their examples (Debian's package wordnet-base), and the texts of SST-2's train.tsv; each a
document of one line. Of every hundred documents one is held out.

    python docs/measure/pretraining_mini.py --sst2 runs/data/sst2 --wordnet /usr/share/wordnet

needs torch, transformers and h5py.
"""
import argparse
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
LENGTH, BATCH = 64, 64
RECIPE = dict(rate=1e-3, warmup=0.1, decay=0.01, clip=1.0)  # without dropout


def glosses(folder):
    """A line for each of WordNet's meanings: its words, what they mean, examples."""
    for kind in ("adj", "adv", "verb", "noun"):
        for line in (folder / f"data.{kind}").read_text("utf-8").splitlines():
            if line.startswith("  "):
                continue  # the licence
            head, _, gloss = line.partition(" | ")
            fields = head.split()
            words = [re.sub(r"\(.*?\)", "", word).replace("_", " ") for word in fields[4:4 + 2 * int(fields[3], 16):2]]
            yield ", ".join(words) + ": " + gloss.strip()


def write_corpus(folder, options):
    documents = list(glosses(options.wordnet))
    rows = (options.sst2 / "train.tsv").read_text("utf-8").splitlines()[1:]
    documents += [row.split("\t")[0].strip() for row in rows]
    parts = {"train": [d for i, d in enumerate(documents) if i % 100], "dev": documents[::100]}
    for name, part in parts.items():
        (folder / f"{name}.txt").write_text("".join(d + "\n\n" for d in part), "utf-8")
    texts = {name: sum(map(len, part)) for name, part in parts.items()}
    return parts, {"documents": len(documents), "characters": texts}


def program(options, name, *arguments):
    command = [str(options.apps / name), *map(str, arguments), "--json", "--quiet", "--threads", str(options.threads), "--overwrite"]
    begin = time.time()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    print(f"{time.time() - begin:.0f} s: {' '.join(command)}", flush=True)
    return result


def pretrain(options, folder, output, steps, *more):
    return program(options, "pretrain", "--model", "random:mini", "--vocab", folder / "vocab", "--corpus",
                   folder / "train.txt", "--dev-corpus", folder / "dev.txt", "--next-sentence", "false", "--max-length",
                   LENGTH, "--batch-size", BATCH, "--dropout", 0, "--max-steps", steps, "--epochs", 100, "--learning-rate",
                   RECIPE["rate"], "--warmup", RECIPE["warmup"], "--output", output, *more)


class Sequences:
    """A document each, cut to LENGTH tokens, and masks of 15 %, 80/10/10, as create_pretraining_data.py of BERT."""

    def __init__(self, documents, tokenizer, seed):
        self.tokenizer, self.random = tokenizer, random.Random(seed)
        self.documents = [ids[:LENGTH - 2] for ids in tokenizer(documents, add_special_tokens=False)["input_ids"] if ids]
        self.ordinary = [i for i in range(len(tokenizer)) if i not in tokenizer.all_special_ids]
        self.specials = set(tokenizer.all_special_ids)

    def epoch(self):
        return self.random.sample(self.documents, len(self.documents))

    def batch(self, sequences):
        t, rows = self.tokenizer, []
        for sequence in sequences:
            ids = [t.cls_token_id, *sequence, t.sep_token_id]
            labels = [-100] * len(ids)
            places = [i for i, token in enumerate(ids) if token not in self.specials]
            self.random.shuffle(places)
            for i in places[:max(1, round(0.15 * len(ids)))]:
                labels[i], kind = ids[i], self.random.random()
                if kind < 0.9:
                    ids[i] = t.mask_token_id if kind < 0.8 else self.random.choice(self.ordinary)
            rows.append((ids, labels))
        width = max(len(ids) for ids, _ in rows)
        pad = lambda values, value: values + [value] * (width - len(values))
        return dict(input_ids=torch.tensor([pad(ids, 0) for ids, _ in rows]),
                    attention_mask=torch.tensor([pad([1] * len(ids), 0) for ids, _ in rows]),
                    labels=torch.tensor([pad(labels, -100) for _, labels in rows]))


def loss_of(model, batch):
    """As BertForMaskedLM, with the decoder for masked tokens only: the mean over them, and their number."""
    hidden = model.bert(**{name: batch[name] for name in ("input_ids", "attention_mask")}).last_hidden_state
    masked = batch["labels"] >= 0
    words = model.cls.predictions(hidden[masked])
    return torch.nn.functional.cross_entropy(words, batch["labels"][masked]), int(masked.sum())


def evaluate(model, batches):
    model.eval()
    total = count = 0
    with torch.no_grad():
        for batch in batches:
            loss, masked = loss_of(model, batch)
            total, count = total + float(loss) * masked, count + masked
    model.train()
    return total / count


def new_model(tokenizer):
    return transformers.BertForPreTraining(transformers.BertConfig(
        vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024,
        hidden_dropout_prob=0, attention_probs_dropout_prob=0))


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
        loss_of(model, batch)[0].backward()
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
    assert not unexpected and all(name.startswith(("cls.predictions.decoder", "cls.seq", "bert.pooler")) or
                                  name.endswith("position_ids") for name in missing), (missing, unexpected)
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sst2", type=pathlib.Path, required=True)
    parser.add_argument("--wordnet", type=pathlib.Path, required=True, help="folder with data.adj, data.adv, data.noun, data.verb")
    parser.add_argument("--apps", type=pathlib.Path, default=pathlib.Path("build/apps"))
    parser.add_argument("--minilm", type=pathlib.Path, help="folder of MiniLM; without it, its rows are left out")
    parser.add_argument("--threads", type=int, default=2, help="here and in PyTorch (default 2)")
    parser.add_argument("--steps", type=int, default=3000, help="of the comparison with PyTorch (default 3000)")
    parser.add_argument("--more-steps", type=int, default=14000, help="before fine-tuning (default 14000)")
    parser.add_argument("--further-steps", type=int, default=400, help="of MiniLM on SST-2's text (default 400)")
    parser.add_argument("--rows", type=int, default=8000, help="of SST-2 for fine-tuning (default 8000)")
    parser.add_argument("--rates", default="2e-4,5e-4,1e-3", help="of fine-tuning (default 2e-4,5e-4,1e-3)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("runs/pretraining"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    results = json.loads(file.read_text()) if file.exists() else {}

    def keep(name, measure):
        if name not in results:
            begin = time.time()
            results[name] = {"value": measure(), "seconds": round(time.time() - begin, 1)}
            file.write_text(json.dumps(results, indent=1) + "\n")
        print(name, results[name], flush=True)

    parts, text = write_corpus(folder, options)
    keep("text", lambda: text)
    if not (folder / "vocab").exists():
        subprocess.run([options.apps / "train_vocab", "--input", folder / "train.txt", "--size", "8000", "--output",
                        folder / "vocab", "--quiet"], check=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "vocab")
    batches, data = dev_batches(parts, tokenizer), subset(options, folder)

    def pretrained(output, steps, precision):
        program_result = pretrain(options, folder, folder / output, steps, "--precision", precision)
        return {"masked_loss": evaluate(with_weights_of(folder / output, tokenizer), batches), "program": program_result}

    keep("here", lambda: pretrained("short.h5", options.steps, "f32"))
    keep("PyTorch", lambda: {"masked_loss": evaluate(torch_pretraining(parts, tokenizer, options.steps, 0), batches)})
    keep("here, more steps, bf16", lambda: pretrained("mini.h5", options.more_steps, "bf16"))
    for rate in options.rates.split(","):
        keep(f"fine-tuned from random weights, {rate}",
             lambda: fine_tuned(options, "random:mini", data, folder, rate, 2, "--vocab", folder / "vocab"))
        keep(f"fine-tuned from mini.h5, {rate}", lambda: fine_tuned(options, folder / "mini.h5", data, folder, rate, 2))
    if options.minilm:
        keep("minilm", lambda: fine_tuned(options, options.minilm, data, folder, 5e-5, 1))
        keep("further", lambda: program(
            options, "pretrain", "--model", options.minilm, "--corpus", options.sst2 / "train.tsv", "--next-sentence",
            "false", "--max-length", LENGTH, "--max-steps", options.further_steps, "--batch-size", 64, "--output",
            folder / "minilm.h5", "--precision", "bf16"))
        keep("minilm, further pre-trained", lambda: fine_tuned(options, folder / "minilm.h5", data, folder, 5e-5, 1))


if __name__ == "__main__":
    main()
