# SPDX-License-Identifier: Apache-2.0
"""Training speed and memory against PyTorch, measured alternately in one run; prints the table of docs/RESULTS.md as Markdown.

usage: PYTHON docs/measure/training_speed.py --peers DIR --data DIR --minilm DIR [--rounds 3] [--steps 20] [--only TEXT]
PYTHON is one that has torch and transformers; --peers is the folder with the peers' train.py, --minilm a Hugging Face directory of MiniLM-L6.
Run it with nothing else on the machine. Each figure is the median over the rounds; a round measures every row once, peer and Espalier in turn; the rows
marked "once" take minutes and are measured in the first round only."""
import argparse, json, os, re, statistics, subprocess, sys, tempfile

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--peers", required=True)
p.add_argument("--data", required=True)
p.add_argument("--minilm", required=True)
p.add_argument("--build", default=os.path.join(os.path.dirname(__file__), "..", "..", "build"))
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--steps", type=int, default=20)
p.add_argument("--only", default="", help="only rows whose name contains this")
a = p.parse_args()
env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"} | {"SST2": a.data, "ESPALIER_DATA": a.data, "HF_HUB_OFFLINE": "1"}
bench = os.path.join(a.build, "apps", "bench")

LONG = """
import sys, time, torch
from transformers import BertConfig, BertForSequenceClassification
torch.set_num_threads(2); torch.manual_seed(0)
m = BertForSequenceClassification(BertConfig(num_labels=2)); m.train()
opt = torch.optim.AdamW(m.parameters(), lr=2e-5, weight_decay=0.01, fused=True)
ids = torch.randint(1000, 30000, (8, 512)); mask = torch.ones_like(ids); y = torch.randint(0, 2, (8,)); times = []
for i in range(int(sys.argv[1]) + 1):
    t = time.time()
    with torch.autocast("cpu", dtype=torch.bfloat16): loss = m(input_ids=ids, attention_mask=mask, labels=y).loss
    loss.backward(); torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0); opt.step(); opt.zero_grad(); times.append(time.time() - t)
print(f"{8 / sorted(times[1:])[len(times[1:]) // 2]:.3f} ex/s")
"""


def run(*command, **extra):
    done = subprocess.run([str(c) for c in command], env=env | extra, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def peer(size, precision, padding, batch, steps):
    """Real tokens a second: a few length-grouped batches may be long or short ones, so examples a second would not compare."""
    out = run(sys.executable, os.path.join(a.peers, "train.py"), size, precision, padding, batch, steps)
    return float(re.search(r"([\d.]+) ex/s", out).group(1)) * float(re.search(r"real tok/step (\d+)", out).group(1)) / batch


def ours(size, precision, *more, batch=32, steps=None, threads=2, data=None):
    model = ["--model", a.minilm] if size == "minilm" else ["--model", "random:base", "--vocab", os.path.join(a.minilm, "vocab.txt")]
    out = run(bench, "train", *model, "--precision", precision, "--batch-size", batch, "--steps", steps or a.steps, "--threads", threads, "--json", "--quiet", "--data", data or a.data, *more)
    figures = json.loads(out.splitlines()[0])
    figures["tokens_per_second"] = figures["examples_per_second"] * figures["tokens_per_sentence"]
    return figures


cache = {}


def rate(size, precision, **options):
    """Espalier's tokens a second, measured once a round for all rows that compare with it."""
    key = (size, precision)
    if key not in cache:
        cache[key] = ours(size, precision, **options)["tokens_per_second"]
    return cache[key]


def long_sentences(folder):
    """A dataset whose every sentence fills 512 tokens."""
    words = " ".join(line.split("\t")[0] for line in open(os.path.join(a.data, "train.tsv"), encoding="utf8").readlines()[1:4000]).split()
    for name in ("train", "dev"):
        with open(os.path.join(folder, name + ".tsv"), "w", encoding="utf8") as f:
            f.write("sentence\tlabel\n" + "".join(" ".join(words[i * 40 : i * 40 + 700]) + f"\t{i % 2}\n" for i in range(400)))


few = max(4, a.steps // 3)
grouped = max(20, a.steps)  # with few batches length grouping could not do its work
rows = [  # name, once, peer, ours, aim
    ("BERT-base bf16, batch 32, vs bf16 length-grouped", False, lambda: peer("base", "bf16", "group", 32, grouped), lambda: rate("base", "bf16"), "3 (AMX), 2 (AVX-512 bf16)"),
    ("BERT-base bf16, batch 32, vs bf16 dynamic padding", False, lambda: peer("base", "bf16", "dynamic", 32, few), lambda: rate("base", "bf16"), "5 (AMX), 2 (AVX-512 bf16)"),
    ("BERT-base bf16, batch 32, vs the tutorial (f32, padded to 128, batch 16)", True, lambda: peer("base", "fp32", "128", 16, 3), lambda: rate("base", "bf16"), "35 (AMX), 2 (AVX-512 bf16)"),
    ("BERT-base f32, batch 32, vs f32 length-grouped", False, lambda: peer("base", "fp32", "group", 32, grouped), lambda: rate("base", "f32"), "1.3; 1.7 (AMX)"),
    ("BERT-base f32, batch 32, vs f32 dynamic padding", True, lambda: peer("base", "fp32", "dynamic", 32, few), lambda: rate("base", "f32"), "2.5"),
    ("MiniLM-L6 f32, batch 32, vs f32 length-grouped", False, lambda: peer("minilm", "fp32", "group", 32, 2 * grouped), lambda: rate("minilm", "f32", steps=3 * a.steps), "1.3"),
    ("MiniLM-L6 f32, batch 32, vs f32 dynamic padding", False, lambda: peer("minilm", "fp32", "dynamic", 32, 2 * few), lambda: rate("minilm", "f32", steps=3 * a.steps), "2.5"),
    ("MiniLM-L6 bf16, batch 32, vs bf16 length-grouped", False, lambda: peer("minilm", "bf16", "group", 32, 2 * grouped), lambda: rate("minilm", "bf16", steps=3 * a.steps), "3.5 (AMX)"),
    ("BERT-base bf16, 8 sentences of 512 tokens, vs bf16", True, lambda: float(run(sys.executable, "-c", LONG, 3).split()[0]) * 512,
     lambda: ours("base", "bf16", "--max-length", 512, batch=8, steps=3, data=folder)["tokens_per_second"], "1.3"),
]

with tempfile.TemporaryDirectory() as folder:
    long_sentences(folder)
    results = {name: ([], []) for name, *_ in rows if a.only in name}
    for round_number in range(a.rounds):
        cache.clear()
        for name, once, theirs, own, _ in rows:
            if name not in results or (once and round_number > 0):
                continue
            results[name][0].append(theirs())
            results[name][1].append(own())
            print(f"round {round_number + 1}: {name}: {results[name][0][-1]:.2f} and {results[name][1][-1]:.2f} tokens/s", file=sys.stderr, flush=True)
    one = ours("base", "bf16", threads=1, steps=few)
    two = ours("base", "bf16")
    full = ours("base", "f32", steps=few)

print(f"Measured on {two['cpu']}, 2 threads, {a.rounds} rounds, SST-2's lengths ({two['tokens_per_step']:.0f} tokens a step of 32).\n")
print("| work | PyTorch, real tokens/s | Espalier, tokens/s | ratio | aim |\n|---|---|---|---|---|")
for name, once, _, _, aim in rows:
    if name in results:
        theirs, own = (statistics.median(v) for v in results[name])
        print(f"| {name}{' (once)' if once else ''} | {theirs:.0f} | {own:.0f} | {own / theirs:.2f} | {aim} |")
print(f"\nBERT-base, batch 32: peak memory {two['peak_memory_gb']:.2f} GB in bf16, {full['peak_memory_gb']:.2f} GB in f32; "
      f"two threads {two['examples_per_second'] / one['examples_per_second']:.2f} times one; products: {two['products']}.")
