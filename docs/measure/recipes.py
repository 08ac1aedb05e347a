# SPDX-License-Identifier: Apache-2.0
"""Every recipe of apps/recipes on full SST-2: accuracy, size, zeros, and speed against the dense f32 model, as the
Markdown table of docs/results/RECIPES.md and, if asked for, as an HTML page with plots. Starts from the dense models of
accuracy.py; each is the teacher of its seed. A run that was stopped continues. Let nothing else run with --report: it
measures speed."""
import concurrent.futures, json, os, statistics, sys
import programs
from programs import spread

p = programs.parser(__doc__, "dense", "precision", "seeds", "data", "runs", "jobs", "pretrained", "report")
p.add_argument("--recipes", default="seed,int8,joint,sparse80-int8,block80-int8,structured-int8,student3,student3 without teacher,student3-structured-int8",
               help="names of files in apps/recipes, or of the variants in this script, with commas between; default: all recipes")
p.add_argument("--page", help="with --report: HTML page of the first seed's models")
a = p.parse_args()
FROM_START = ["--epochs", "3", "--learning-rate", "5e-5", "--dropout", "0.1"]
VARIANTS = {  # the recipe's options but for these
    "int8 with 4-bit weights": ["--qat.bits", "4", "--learning-rate", "1e-4"],
    "int8 with 3-bit weights": ["--qat.bits", "3", "--learning-rate", "1e-4"],
    "int8 from the start": FROM_START,
    "int8 from the start with 4-bit weights": [*FROM_START, "--qat.bits", "4"],
    "int8 from the start with 3-bit weights": [*FROM_START, "--qat.bits", "3"],
}


ALONE = ("seed", "student3 without teacher", *(v for v in VARIANTS if "from the start" in v))  # learn from the labels only


def program(name, *options):
    return programs.run(a.build, name, *options)


def dense(seed):
    return programs.dense(a, seed)


def path(recipe, seed):
    return os.path.join(a.runs, f"{recipe.replace(' ', '_')}_{seed}.h5")


def make(recipe, seed):
    output, start = path(recipe, seed), dense(seed)
    if os.path.exists(output + ".done"):
        return
    if recipe == "student3-structured-int8":  # a smaller vocabulary, of teacher and student
        start = os.path.join(a.runs, f"teacher_{seed}.h5")
        if not os.path.exists(start):
            program("prune", "--model", dense(seed), "--output", start, "--vocabulary", os.path.join(a.data, "train.tsv"))
    if "from the start" in recipe:
        start = a.pretrained or sys.exit(f"'{recipe}' needs --pretrained")
    teacher = [] if recipe in ALONE else ["--distill.teacher", start]
    program("train_sst2", "--config", os.path.join(programs.ROOT, "apps", "recipes", recipe.split()[0] + ".toml"), "--model", start, "--data", a.data, "--output", output,
            "--log-dir", output[:-3], "--seed", str(seed), "--threads", "1", "--save-every", "1000", "--resume", *teacher, *VARIANTS.get(recipe, []))
    open(output + ".done", "w").close()


def minutes(recipe, seed):
    """Core-minutes of training, without evaluation."""
    try:
        lines = [json.loads(line) for line in open(os.path.join(path(recipe, seed)[:-3], "metrics.jsonl"))]
    except OSError:
        return None
    last = [line for line in lines if "examples_per_second" in line][-1]
    return last["epoch"] * 67349 / last["examples_per_second"] / 60


os.makedirs(a.runs, exist_ok=True)
recipes, SEEDS = a.recipes.split(","), [int(s) for s in a.seeds.split(",")]
if not a.report:
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for job in [pool.submit(make, r, s) for s in SEEDS for r in recipes]:
            job.result()
    sys.exit("All made. Now, with nothing else running, the same command with --report measures and prints them.")

# Speed is measured for the first of the seeds, all models in one run; accuracy for every seed.
dev = os.path.join(a.data, "dev.tsv")
FIRST = SEEDS[0]
there = [r for r in recipes if os.path.exists(path(r, FIRST))]
compared = program("report", dense(FIRST), *[path(r, FIRST) for r in there], "--data", dev, *(["--output", a.page] if a.page else []))
base = compared[0]
accuracy = {(None, s): programs.accuracy(a.build, dense(s), a.data) for s in SEEDS if os.path.exists(dense(s))}
for r in there:
    for s in SEEDS:
        if os.path.exists(path(r, s)):
            accuracy[r, s] = programs.accuracy(a.build, path(r, s), a.data)
print("| recipe | seeds | dev accuracy | against its dense model | file | parameters | zeros | bits | MFLOP a token | sentences/s, 32 at a time | one by one | training, core-minutes |")
print("|---|---|---|---|---|---|---|---|---|---|---|---|")
for r, m in zip([None, *there], compared):
    seeds = [s for s in SEEDS if (r, s) in accuracy]
    time = minutes(r, FIRST) if r else None
    print(f"| {r or 'dense f32'} | {len(seeds)} | {spread([accuracy[r, s] for s in seeds])} | {statistics.mean(accuracy[r, s] - accuracy[None, s] for s in seeds):+.2f} | "
          f"{m['file_bytes'] * 1e-6:.1f} MB ({base['file_bytes'] / m['file_bytes']:.1f} ×) | {m['parameters'] * 1e-6:.1f} M | {100 * m['sparsity']:.0f} % | {m['bits']} | {m['flop_per_token'] * 1e-6:.1f} | "
          f"{m['eval_samples_per_second']:.0f} ({m['eval_samples_per_second'] / base['eval_samples_per_second']:.1f} ×) | "
          f"{m['sentences_per_second_one_by_one']:.0f} ({m['sentences_per_second_one_by_one'] / base['sentences_per_second_one_by_one']:.1f} ×) | {f'{time:.0f}' if time else ''} |")
