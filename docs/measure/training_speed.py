# SPDX-License-Identifier: Apache-2.0
"""Training speed and memory against PyTorch, measured in turns in one run, as the Markdown table of
docs/results/TRAINING_SPEED.md. Run it with a Python that has torch and transformers, and with nothing else on the
machine. A round measures every row once, PyTorch and Espalier in turn. Rows marked "once" take minutes and are measured
in the first round only."""
import json, os, statistics, subprocess, sys, tempfile
import programs

p = programs.parser(__doc__, "data", "rounds")
p.add_argument("--minilm", required=True, help="Hugging Face directory of MiniLM-L6")
p.add_argument("--steps", type=int, default=20, help="of BERT-base in each measurement (default 20)")
p.add_argument("--only", default="", help="only rows whose work and peer contain this text")
a = p.parse_args()
env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"} | {"HF_HUB_OFFLINE": "1"}


def run(*command):
    """The first JSON object that the command prints."""
    done = subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.splitlines()[0])


def peer(size, precision, padding, steps, batch=32):
    """PyTorch's real tokens a second: a few length-grouped batches may be long or short ones, so sentences a second would not compare."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_train.py")
    return run(sys.executable, script, "--data", a.data, "--minilm", a.minilm, "--size", size, "--precision", precision, "--padding", padding,
               "--batch-size", batch, "--steps", steps)["tokens_per_second"]


def ours(size, precision, *more, batch=32, steps=None, threads=2, data=None):
    model = ["--model", a.minilm] if size == "minilm" else ["--model", "random:base", "--vocab", os.path.join(a.minilm, "vocab.txt")]
    figures = run(os.path.join(a.build, "apps", "bench"), "train", *model, "--precision", precision, "--batch-size", batch, "--steps", steps or a.steps,
                  "--threads", threads, "--json", "--quiet", "--data", data or a.data, *more)
    figures["tokens_per_second"] = figures["examples_per_second"] * figures["tokens_per_sentence"]
    return figures


cache = {}


def rate(size, precision):
    """Espalier's tokens a second, measured once a round for all rows that compare with it."""
    key = (size, precision)
    if key not in cache:
        cache[key] = ours(size, precision, steps=3 * a.steps if size == "minilm" else a.steps)["tokens_per_second"]
    return cache[key]


def long_sentences(folder):
    """A dataset whose every sentence fills 512 tokens."""
    words = " ".join(line.split("\t")[0] for line in open(os.path.join(a.data, "train.tsv"), encoding="utf8").readlines()[1:4000]).split()
    for name in ("train", "dev"):
        with open(os.path.join(folder, name + ".tsv"), "w", encoding="utf8") as f:
            f.write("sentence\tlabel\n" + "".join(" ".join(words[i * 40 : i * 40 + 700]) + f"\t{i % 2}\n" for i in range(400)))


few = max(4, a.steps // 3)
grouped = max(20, a.steps)  # with few batches length grouping could not do its work
ROWS = [  # work, against PyTorch with, once, peer, ours
    ("BERT-base bf16, batch 32", "bf16, length-grouped", False, lambda: peer("base", "bf16", "group", grouped), lambda: rate("base", "bf16")),
    ("BERT-base bf16, batch 32", "bf16, dynamic", False, lambda: peer("base", "bf16", "dynamic", few), lambda: rate("base", "bf16")),
    ("BERT-base bf16, batch 32", "tutorial", True, lambda: peer("base", "f32", "128", 3, batch=16), lambda: rate("base", "bf16")),
    ("BERT-base f32, batch 32", "f32, length-grouped", False, lambda: peer("base", "f32", "group", grouped), lambda: rate("base", "f32")),
    ("BERT-base f32, batch 32", "f32, dynamic", True, lambda: peer("base", "f32", "dynamic", few), lambda: rate("base", "f32")),
    ("MiniLM f32, batch 32", "f32, length-grouped", False, lambda: peer("minilm", "f32", "group", 2 * grouped), lambda: rate("minilm", "f32")),
    ("MiniLM f32, batch 32", "f32, dynamic", False, lambda: peer("minilm", "f32", "dynamic", 2 * few), lambda: rate("minilm", "f32")),
    ("MiniLM bf16, batch 32", "bf16, length-grouped", False, lambda: peer("minilm", "bf16", "group", 2 * grouped), lambda: rate("minilm", "bf16")),
    ("BERT-base bf16, 8 sentences of 512 tokens", "bf16", True, lambda: peer("base", "bf16", "long", 3, batch=8),
     lambda: ours("base", "bf16", "--max-length", 512, batch=8, steps=3, data=folder)["tokens_per_second"]),
]

with tempfile.TemporaryDirectory() as folder:
    long_sentences(folder)
    results = {row[:2]: ([], []) for row in ROWS if a.only in f"{row[0]}, {row[1]}"}
    for round_number in range(a.rounds):
        cache.clear()
        for work, against, once, theirs, own in ROWS:
            if (work, against) not in results or (once and round_number > 0):
                continue
            result = results[work, against]
            result[0].append(theirs())
            result[1].append(own())
            print(f"round {round_number + 1}: {work}, {against}: {result[0][-1]:.2f} and {result[1][-1]:.2f} tokens/s", file=sys.stderr, flush=True)
    one = ours("base", "bf16", threads=1, steps=few)
    two = ours("base", "bf16")
    full = ours("base", "f32", steps=few)

print(f"Measured on {two['cpu']}, 2 threads, {a.rounds} rounds, SST-2's lengths ({two['tokens_per_step']:.0f} tokens a step of 32).\n")
print("| work | against PyTorch with | PyTorch, tokens/s | Espalier, tokens/s | ratio |\n|---|---|---|---|---|")
for work, against, once, _, _ in ROWS:
    if (work, against) in results:
        theirs, own = (statistics.median(v) for v in results[work, against])
        print(f"| {work}{' (once)' if once else ''} | {against} | {theirs:.0f} | {own:.0f} | {own / theirs:.2f} |")
print(f"\nBERT-base, batch 32: peak memory {two['peak_memory_gb']:.2f} GB in bf16, {full['peak_memory_gb']:.2f} GB in f32; "
      f"two threads {two['examples_per_second'] / one['examples_per_second']:.2f} times one; products: {two['products']}.")
