# SPDX-License-Identifier: Apache-2.0
"""Six made-up data sets, trained here and with PyTorch by the same recipe and seeds. Each has 600 rows for training and
400 for evaluation, and some wrong labels, so that no model reaches 100 %. Both sides keep the best of three epochs by
the same metric. Prints the table of docs/results/EVERYDAY.md: mean and sample standard deviation over the seeds. Run it
with a Python that has torch, transformers and numpy."""
import csv, pathlib, random, statistics, sys
import programs

RECIPE = {"epochs": 3, "batch-size": 32, "learning-rate": 5e-5, "weight-decay": 0.01, "warmup": 0.06}

TOPICS = {
    "cooking": ["the soup needs more salt", "bake the bread for an hour", "chop the onions and fry them in butter",
                "a sauce of tomatoes and garlic", "let the dough rest overnight", "grill the fish with lemon"],
    "finance": ["the bank raised its interest rate", "shares fell after the report", "the fund lost a tenth of its value",
                "investors sold their bonds", "the company paid a dividend", "inflation slowed in the spring"],
    "science": ["the telescope found a distant galaxy", "cells divide under the microscope", "the probe measured the field",
                "a new enzyme breaks down plastic", "the experiment confirmed the theory", "rocks from the moon were dated"],
    "sport": ["the striker scored twice", "the team lost in the final", "she won the race by a second",
              "the coach changed the goalkeeper", "the match ended in a draw", "he broke the record in the pool"],
    "travel": ["the train to the coast was late", "we hiked to the waterfall", "the hotel lies near the harbour",
               "the museum closes on mondays", "take the ferry to the island", "the visa took three weeks"],
}
OPENINGS = ["They say that", "Yesterday,", "As you know,", "I read that", "Once again,", "It seems that", "My friend wrote:"]
ASPECTS = {
    "food": ["the soup was cold", "the breakfast was great", "the cake tasted stale", "the fish was fresh"],
    "price": ["it cost far too much", "a bargain for that money", "the bill was higher than agreed", "cheap and fair"],
    "room": ["the bed was hard", "the window did not close", "our room was large and bright", "the shower leaked"],
    "service": ["the waiter was rude", "the staff helped at once", "nobody answered the phone", "the host was kind"],
}
DEGREES = [("terrible", 0.0), ("poor", 1.0), ("mediocre", 2.0), ("decent", 3.0), ("good", 4.0), ("superb", 5.0)]
NUANCES = [("really ", 0.3), ("", 0.0), ("rather ", -0.2), ("almost ", -0.4)]
THINGS = ["film", "book", "concert", "play", "meal", "lecture", "game", "phone"]


def sentence(rng, topic):
    return f"{rng.choice(OPENINGS)} {rng.choice(TOPICS[topic])}, and {rng.choice(TOPICS[topic])}."


def noisy(rng, label, labels, share):
    return rng.choice([x for x in labels if x != label]) if rng.random() < share else label


def pair(rng):
    a, b = rng.sample(list(TOPICS), 2)
    same = rng.random() < 0.5
    return [sentence(rng, a), sentence(rng, a if same else b), noisy(rng, int(same), [0, 1], 0.06)]


def topic(rng):
    name = rng.choice(list(TOPICS))
    return [sentence(rng, name), noisy(rng, name, list(TOPICS), 0.08)]


def aspects(rng):
    chosen = sorted(rng.sample(list(ASPECTS), rng.choice([0, 1, 1, 2, 2, 3])))
    parts = [rng.choice(ASPECTS[name]) for name in chosen] or ["we stayed for two nights"]
    rng.shuffle(parts)
    said = [name for name in chosen if rng.random() > 0.05]
    return ["; ".join(parts) + ".", ",".join(said)]


def score(rng):
    (nuance, more), (word, base) = rng.choice(NUANCES), rng.choice(DEGREES)
    return [f"That was a {nuance}{word} {rng.choice(THINGS)}.", round(base + more + rng.gauss(0, 0.3), 2)]


def rare(rng):
    wanted = int(rng.random() < 0.08)
    name = "finance" if wanted else rng.choice(["cooking", "science", "sport", "travel"])
    return [sentence(rng, name), noisy(rng, wanted, [0, 1], 0.01)]


def quoted(rng):
    word, base = rng.choice(DEGREES[:2] + DEGREES[4:])
    thing, label = rng.choice(THINGS), "good" if base > 2 else "bad"
    text = rng.choice(['"A {w} {t}", they said, and left.', 'The {t}, in short:\n"{w}", nothing else.',
                       'He called it "{w}", the {t}, I mean.']).format(w=word, t=thing)
    return [text, noisy(rng, label, ["good", "bad"], 0.06)]


class Set:
    def __init__(self, name, task, metric, columns, row, suffix="tsv", options=()):
        self.name, self.task, self.metric, self.columns, self.row = name, task, metric, columns, row
        self.suffix, self.options = suffix, list(options)

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random("espalier " + self.name)
        self.parts = {}
        for part, count in (("train", 600), ("dev", 400)):
            rows = self.parts[part] = [self.row(rng) for _ in range(count)]
            with open(folder / f"{part}.{self.suffix}", "w", newline="", encoding="utf-8") as out:
                if self.suffix == "csv":
                    csv.writer(out).writerows([self.columns, *rows])
                else:
                    out.writelines("\t".join(map(str, r)) + "\n" for r in [self.columns, *rows])


SETS = [
    Set("pairs", "classification", "accuracy", ["sentence1", "sentence2", "label"], pair),
    Set("five classes", "classification", "accuracy", ["text", "label"], topic),
    Set("several labels", "multi-label", "micro_f1", ["sentence", "label"], aspects),
    Set("regression", "regression", "pearson", ["sentence", "score"], score),
    Set("imbalanced", "classification", "macro_f1", ["sentence", "label"], rare,
        options=["--class-weights", "balanced"]),
    Set("CSV with quotes", "classification", "accuracy", ["text", "label"], quoted, "csv"),
]


def ours(data, folder, options, seed):
    recipe = [part for name, value in RECIPE.items() for part in (f"--{name}", value)]
    return programs.run(options.build, "train", "--model", options.model, "--data", folder, "--output",
                        folder / f"seed-{seed}.h5", "--overwrite", "--seed", seed, "--task", data.task, "--metric",
                        data.metric, *recipe, *data.options)[-1]["eval_" + data.metric]


def targets(data, rows, names):
    if data.task == "regression":
        return [float(r[-1]) for r in rows]
    if data.task == "multi-label":
        return [[float(name in r[-1].split(",")) for name in names] for r in rows]
    return [names.index(r[-1]) for r in rows]


def figure(data, logits, wanted):
    import numpy as np
    if data.metric == "pearson":
        return float(np.corrcoef(logits[:, 0], wanted)[0, 1])
    if data.metric == "accuracy":
        return float((logits.argmax(1) == wanted).mean())
    if data.metric == "micro_f1":
        guess, wanted = logits > 0, wanted > 0
        return float(2 * (guess & wanted).sum() / (guess.sum() + wanted.sum()))
    guess = logits.argmax(1)
    f1 = [2 * ((guess == c) & (wanted == c)).sum() / max(1, (guess == c).sum() + (wanted == c).sum()) for c in (0, 1)]
    return float(sum(f1) / 2)


def pytorch(data, model, seed):
    import numpy as np
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup
    torch.manual_seed(seed)
    rng = random.Random(seed)
    train, dev = data.parts["train"], data.parts["dev"]
    names = sorted(ASPECTS) if data.task == "multi-label" else sorted({r[-1] for r in train})
    width = 1 if data.task == "regression" else len(names)
    tokenizer = AutoTokenizer.from_pretrained(model)
    net = AutoModelForSequenceClassification.from_pretrained(model, num_labels=width, ignore_mismatched_sizes=True)
    if data.task == "classification":
        weight = None
        if data.options:
            counts = np.bincount(targets(data, train, names), minlength=width)
            weight = torch.tensor(len(train) / (width * counts), dtype=torch.float32)
        loss_of = torch.nn.CrossEntropyLoss(weight)
    else:
        loss_of = torch.nn.BCEWithLogitsLoss() if data.task == "multi-label" else torch.nn.MSELoss()
    plain = [p for n, p in net.named_parameters() if n.endswith("bias") or "LayerNorm" in n]
    ids = {id(p) for p in plain}
    optimizer = torch.optim.AdamW([{"params": plain, "weight_decay": 0.0},
                                   {"params": [p for p in net.parameters() if id(p) not in ids],
                                    "weight_decay": RECIPE["weight-decay"]}], lr=RECIPE["learning-rate"])
    size = RECIPE["batch-size"]
    steps = RECIPE["epochs"] * -(-len(train) // size)
    schedule = get_linear_schedule_with_warmup(optimizer, int(RECIPE["warmup"] * steps), steps)
    all_targets = {"train": torch.tensor(targets(data, train, names)), "dev": targets(data, dev, names)}

    def logits(rows):
        texts = [[r[i] for r in rows] for i in range(len(data.columns) - 1)]
        batch = tokenizer(*texts, padding=True, truncation=True, max_length=128, return_tensors="pt")
        return net(**batch).logits

    best = -1.0
    for _ in range(RECIPE["epochs"]):
        net.train()
        order = list(range(len(train)))
        rng.shuffle(order)
        for begin in range(0, len(order), size):
            rows = order[begin:begin + size]
            out = logits([train[i] for i in rows])
            loss = loss_of(out[:, 0] if data.task == "regression" else out, all_targets["train"][rows])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        net.eval()
        with torch.no_grad():
            out = np.concatenate([logits(dev[i:i + 100]).numpy() for i in range(0, len(dev), 100)])
        best = max(best, figure(data, out, np.array(all_targets["dev"])))
    return best


def shown(values):
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


p = programs.parser(__doc__, "model", "runs", "seeds")
p.add_argument("--only", help="the name of one data set")
a = p.parse_args()
seeds = [int(seed) for seed in a.seeds.split(",")]
print("| data set | metric | Espalier | PyTorch | difference |\n|---|---|---|---|---|")
for data in SETS:
    if a.only not in (None, data.name):
        continue
    folder = pathlib.Path(a.runs) / data.name.replace(" ", "-")
    data.write(folder)
    mine, theirs = [], []
    for seed in seeds:
        mine.append(ours(data, folder, a, seed))
        theirs.append(pytorch(data, a.model, seed))
        print(f"{data.name}, seed {seed}: {mine[-1]:.4f}, PyTorch {theirs[-1]:.4f}", file=sys.stderr, flush=True)
    difference = statistics.mean(mine) - statistics.mean(theirs)
    print(f"| {data.name} | {data.metric} | {shown(mine)} | {shown(theirs)} | {difference:+.4f} |", flush=True)
