# SPDX-License-Identifier: Apache-2.0
"""Trains made-up data in the shape of each of GLUE's eight tasks with the program `train`, each by the metric that GLUE judges it by, and prints a Markdown
table. The labels follow from one or two words of the text, so that a small model learns them in seconds; the shapes (columns, pairs, labels, how often each
occurs) are those of the real files. Everything that is printed is also checked: the program ends well, the best checkpoint is the best by that metric, and
`evaluate` finds the same value in it."""
import json, os, random, sys, tempfile
import programs

p = programs.parser(__doc__)
p.add_argument("--model", default="random:tiny", help="default random:tiny")
p.add_argument("--epochs", default="8", help="default 8")
p.add_argument("--sentences", type=int, default=2000, help="training sentences of a task; default 2000")
a = p.parse_args()

GOOD, BAD, PLAIN = ["good", "great", "fine"], ["bad", "dull", "awful"], ["the", "film", "a", "story", "and", "its", "music", "with", "actors", "plot", "of", "this"]


def text(rng, *words):
    line = [rng.choice(PLAIN) for _ in range(rng.randint(3, 9))]
    for word in words:
        line.insert(rng.randint(0, len(line)), word)
    return " ".join(line)


def one(share, names):
    """One text; the last name with that share."""
    def row(rng):
        yes = rng.random() < share
        return [text(rng, rng.choice(GOOD if yes else BAD)), names[yes]]
    return row


def pair(shares, names):
    """A pair; the first text is about anything, the second decides."""
    words = [BAD, GOOD, ["perhaps", "maybe"]]
    def row(rng):
        c = rng.choices(range(len(names)), shares)[0]
        return [text(rng, rng.choice(GOOD + BAD)), text(rng, rng.choice(words[c])), names[c]]
    return row


def similarity(rng):
    good, bad = rng.randint(0, 3), rng.randint(0, 2)
    score = min(5, max(0, 2 + good - bad + rng.uniform(-0.3, 0.3)))
    return [text(rng), text(rng, *rng.choices(GOOD, k=good), *rng.choices(BAD, k=bad)), f"{score:.3f}"]


TASKS = {  # columns, a row, the metric, more options
    "CoLA": (["sentence", "label"], one(0.7, "01"), "matthews", []),
    "SST-2": (["sentence", "label"], one(0.55, "01"), "accuracy", []),
    "MRPC": (["sentence1", "sentence2", "label"], pair([0.32, 0.68], "01"), "f1", []),
    "QQP": (["question1", "question2", "label"], pair([0.63, 0.37], "01"), "f1", []),
    "STS-B": (["sentence1", "sentence2", "score"], similarity, "pearson", ["--task", "regression"]),
    "MNLI": (["premise", "hypothesis", "label"], pair([1, 1, 1], ["entailment", "neutral", "contradiction"]), "accuracy", []),
    "QNLI": (["question", "sentence", "label"], pair([1, 1], ["entailment", "not_entailment"]), "accuracy", []),
    "RTE": (["sentence1", "sentence2", "label"], pair([1, 1], ["entailment", "not_entailment"]), "accuracy", []),
}


print("| task | columns | labels | metric | best | others |\n|---|---|---|---|---|---|")
for task, (columns, row, metric, options) in TASKS.items():
    rng = random.Random(task)
    with tempfile.TemporaryDirectory() as folder:
        for file, count in [("train.tsv", a.sentences), ("dev_matched.tsv" if task == "MNLI" else "dev.tsv", a.sentences // 5)]:
            with open(os.path.join(folder, file), "w") as out:
                out.writelines("\t".join(line) + "\n" for line in [columns] + [row(rng) for _ in range(count)])
        output, dev = os.path.join(folder, "model.h5"), os.path.join(folder, file)
        trained = programs.run(a.build, "train", "--model", a.model, "--data", folder, "--output", output, "--metric", metric, "--epochs", a.epochs, "--learning-rate", "1e-3", "--log-dir", folder,
                               "--max-length", "32", "--precision", "f32", *options)[-1]
        evaluations = [e for e in map(json.loads, open(os.path.join(folder, "metrics.jsonl"))) if "eval_loss" in e]
        evaluated = programs.run(a.build, "evaluate", "--model", output, "--data", dev, "--max-length", "32")[-1]
        name = "eval_" + metric
        best = max(e[name] for e in evaluations if name in e)
        if not trained[name] == best or abs(evaluated[name] - best) > 1e-6:
            sys.exit(f"{task}: {name} of the run is {trained[name]}, the best of its log {best}, and evaluate finds {evaluated[name]}")
        others = {k[5:]: v for k, v in evaluated.items() if k in ("eval_accuracy", "eval_f1", "eval_spearman", "eval_macro_f1") and k != name}
        print(f"| {task} | {', '.join(columns)} | {', '.join(evaluated['labels'])} | {metric} | {best:.4f} | {', '.join(f'{k} {v:.4f}' for k, v in others.items())} |", flush=True)
