# SPDX-License-Identifier: Apache-2.0
"""Dev accuracy of models that are pruned at once, pruned and fine-tuned, or pruned during training, as the Markdown
tables of docs/results/PRUNING.md. Starts from the dense models of accuracy.py. The list ROWS says whether a row is made
for three seeds or for one. A run that was stopped continues."""
import concurrent.futures, fnmatch, json, os, statistics, sys
import programs
from programs import spread

p = programs.parser(__doc__, "dense", "precision", "seeds", "data", "runs", "jobs", "pretrained", "report")
p.add_argument("--rows", default="*", help="names of rows, with *; several with | between (default *)")
a = p.parse_args()

GLOBAL, ROW, TAYLOR, WANDA = ["--scope", "global"], ["--scope", "row"], ["--method", "taylor"], ["--method", "wanda"]
LABELS = ["--learning-rate", "5e-5"]
TEACHER = ["--learning-rate", "1e-4", "--dropout", "0", "--distill.teacher"]  # the dense model: what the sparse one was


def gradual(method, amount, scope):
    return ["--prune.method", method, "--prune.amount", str(amount), "--prune.scope", scope, "--prune.begin", "400",
            "--prune.schedule", "linear" if method == "movement" else "cubic"]


# name, seeds, options of prune (none: pruned in training), options of train_sst2, epochs
ROWS = [
    ("50 % wanda, distilled", 3, ["--amount", "0.5", *ROW, *WANDA], TEACHER, 2),
    ("2:4 wanda, distilled", 3, ["--structure", "2:4", *WANDA], TEACHER, 1),
    ("feed-forward 50 %, distilled", 3, ["--structure", "neuron", "--amount", "0.5", *TAYLOR], TEACHER, 1),
    ("80 % wanda, gradual, distilled", 3, None, [*gradual("wanda", 0.8, "row"), *TEACHER], 3),
    ("80 % movement, gradual, distilled", 1, None, [*gradual("movement", 0.8, "layer"), *TEACHER], 3),
    ("90 % movement, gradual, distilled", 1, None, [*gradual("movement", 0.9, "layer"), *TEACHER], 3),
    ("feed-forward 25 %, distilled", 1, ["--structure", "neuron", "--amount", "0.25", *TAYLOR], TEACHER, 1),
    ("feed-forward 75 %, distilled", 1, ["--structure", "neuron", "--amount", "0.75", *TAYLOR], TEACHER, 1),
    ("heads 25 %, distilled", 1, ["--structure", "head", "--amount", "0.25", *TAYLOR], TEACHER, 1),
    ("heads 50 %, distilled", 1, ["--structure", "head", "--amount", "0.5", *TAYLOR], TEACHER, 1),
    ("feed-forward 50 % + heads 25 %", 1, ["--structure", "neuron", "--amount", "0.5", *TAYLOR], ["--prune.structure", "head", "--prune.amount", "0.25", "--prune.method", "taylor", "--prune.begin", "64", *LABELS], 1),
    ("2:4 wanda", 1, ["--structure", "2:4", *WANDA], LABELS, 1),
    ("30 % magnitude", 1, ["--amount", "0.3", *GLOBAL], LABELS, 1),
    ("50 % magnitude", 1, ["--amount", "0.5", *GLOBAL], LABELS, 1),
    ("70 % magnitude", 1, ["--amount", "0.7", *GLOBAL], LABELS, 1),
    ("80 % magnitude", 1, ["--amount", "0.8", *GLOBAL], LABELS, 1),
    ("90 % magnitude", 1, ["--amount", "0.9", *GLOBAL], LABELS, 1),
    ("80 % magnitude, gradual", 1, None, [*gradual("magnitude", 0.8, "global"), *LABELS], 3),
    ("80 % movement, gradual, from the pretrained encoder", 1, None, [*gradual("movement", 0.8, "layer"), *LABELS], 3),
    ("90 % magnitude, gradual", 1, None, [*gradual("magnitude", 0.9, "global"), *LABELS], 3),
]


def program(name, *options):
    return programs.run(a.build, name, *options, "--threads", 1)


def accuracy(model):
    return programs.accuracy(a.build, model, a.data, "--threads", 1)


def dense_of(seed):
    return programs.dense(a, seed)


def measured(row, seed):
    """The row's figures for one seed, from RUNS or made now."""
    name, _, prune, train, epochs = row
    path = os.path.join(a.runs, "".join(c if c.isalnum() else "_" for c in name) + f"_{seed}")
    if os.path.exists(path + ".json"):
        return json.load(open(path + ".json"))
    if a.report:
        return None
    start, result = dense_of(seed), {}
    if "pretrained" in name:
        start = a.pretrained or sys.exit(f"'{name}' needs --pretrained")
    if prune is not None:
        program("prune", "--model", start, "--output", path + ".pruned.h5", "--seed", str(seed), *(["--data", a.data] if "--method" in prune else []), *prune)
        start = path + ".pruned.h5"
        result["one_shot"] = accuracy(start)
    program("train_sst2", "--model", start, "--data", a.data, "--output", path + ".h5", "--log-dir", path, "--epochs", str(epochs), "--batch-size", "32",
            "--warmup", "0.06", "--seed", str(seed), "--save-every", "1000", "--resume", *train, *([dense_of(seed)] if train[-1] == "--distill.teacher" else []))
    looked_at = program("inspect", path + ".h5")[0]
    encoder = [q for q in looked_at["parts"] if q["part"].startswith("layer ")]
    result |= {"accuracy": accuracy(path + ".h5"), "file_bytes": looked_at["file_bytes"],
               "sparsity": sum(q["zeros"] for q in encoder) / sum(q["parameters"] for q in encoder)}
    with open(path + ".json", "w") as f:
        json.dump(result, f)
    return result


os.makedirs(a.runs, exist_ok=True)
SEEDS = [int(s) for s in a.seeds.split(",")]
dense = {s: accuracy(dense_of(s)) for s in SEEDS if os.path.exists(dense_of(s))}
rows = [r for r in ROWS if any(fnmatch.fnmatch(r[0], pattern) for pattern in a.rows.split("|"))]
with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
    made = {(r[0], s): pool.submit(measured, r, s) for i, s in enumerate(SEEDS) for r in rows if i < r[1]}
    made = {key: future.result() for key, future in made.items()}
print("| pruned | zeros in the encoder | at once | fine-tuned | against dense | file |\n|---|---|---|---|---|---|")
print(f"| nothing (dense, seeds {', '.join(map(str, dense))}) | 0 % | | {spread(dense.values())} | | {os.path.getsize(dense_of(SEEDS[0])) * 1e-6:.1f} MB |")
for name, seeds, prune, _, epochs in rows:
    of_seed = {s: made[name, s] for s in SEEDS[:seeds] if made[name, s]}
    found = list(of_seed.values())
    if not found:
        continue
    seeds_of = f", {len(found)} seeds" if len(found) > 1 else ""
    one_shot = spread([f["one_shot"] for f in found]) if prune is not None else "–"
    loss = statistics.mean(f["accuracy"] - dense[s] for s, f in of_seed.items())
    print(f"| {name} | {100 * statistics.mean(f['sparsity'] for f in found):.1f} % | {one_shot} | {spread([f['accuracy'] for f in found])} ({epochs} epoch{'s' if epochs > 1 else ''}{seeds_of}) | {loss:+.2f} | "
          f"{statistics.mean(f['file_bytes'] for f in found) * 1e-6:.1f} MB |")
