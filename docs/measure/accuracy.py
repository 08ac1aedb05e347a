# SPDX-License-Identifier: Apache-2.0
"""Dev accuracy of full SST-2 fine-tunings in several precisions and seeds, as a Markdown table, and their loss curves over each other as an SVG.

usage: python3 docs/measure/accuracy.py --model DIR --data DIR --runs DIR --plot OUT.svg [--precisions f32,bf16] [--seeds 0,1,2] [--learning-rate 5e-5]
A run whose log in --runs is complete is not repeated; a run that was stopped continues. Needs nothing but Python."""
import argparse, json, os, statistics, subprocess, sys

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--model", required=True)
p.add_argument("--data", required=True)
p.add_argument("--runs", required=True)
p.add_argument("--plot", required=True)
p.add_argument("--precisions", default="f32,bf16")
p.add_argument("--seeds", default="0,1,2")
p.add_argument("--learning-rate", default="5e-5")
p.add_argument("--build", default=os.path.join(os.path.dirname(__file__), "..", "..", "build"))
a = p.parse_args()
EPOCHS = 3


def log_of(precision, seed):
    """Steps and evaluations of a run; the run is made or continued if its log does not end with the last epoch's evaluation."""
    name = os.path.join(a.runs, f"{precision}_{seed}")
    path = os.path.join(name, "metrics.jsonl")

    def read():
        lines = [json.loads(line) for line in open(path)] if os.path.exists(path) else []
        return [x for x in lines if "grad_norm" in x], [x for x in lines if "eval_accuracy" in x]

    if len(read()[1]) < EPOCHS:
        os.makedirs(a.runs, exist_ok=True)
        command = [os.path.join(a.build, "apps", "train_sst2"), "--model", a.model, "--data", a.data, "--output", name + ".h5", "--log-dir", name, "--epochs", str(EPOCHS), "--batch-size", "32",
                   "--learning-rate", a.learning_rate, "--warmup", "0.06", "--seed", seed, "--precision", precision, "--save-every", "1000", "--resume"]
        if subprocess.run(command).returncode != 0:
            sys.exit(f"{' '.join(command)} failed")
    return read()


def smooth(steps, width=200):
    return [(steps[i + width - 1]["step"], sum(s["loss"] for s in steps[i : i + width]) / width) for i in range(0, len(steps) - width, width // 4)]


def svg(curves, path):
    width, height, left, bottom = 760, 380, 50, 40
    last = max(x for _, _, points in curves for x, _ in points)
    top = max(y for _, _, points in curves for _, y in points) * 1.05
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>']
    place = lambda x, y: f"{left + (width - left - 20) * x / last:.1f},{(height - bottom) - (height - bottom - 20) * y / top:.1f}"
    for i in range(6):
        y = top * i / 5
        out.append(f'<polyline points="{place(0, y)} {place(last, y)}" stroke="#ddd" fill="none"/><text x="8" y="{place(0, y).split(",")[1]}">{y:.2f}</text>')
    names = []
    for name, colour, points in curves:
        out.append(f'<polyline points="{" ".join(place(x, y) for x, y in points)}" stroke="{colour}" stroke-width="1.2" fill="none" opacity="0.7"/>')
        if (name, colour) not in names:
            names.append((name, colour))
    for i, (name, colour) in enumerate(names):
        out.append(f'<text x="{width - 200}" y="{30 + 18 * i}" fill="{colour}">{name}: training loss, one line a seed</text>')
    out.append(f'<text x="{width // 2}" y="{height - 10}">step (mean of 200)</text></svg>')
    with open(path, "w", encoding="utf8") as f:
        f.write("\n".join(out) + "\n")


curves, rows = [], []
for precision, colour in zip(a.precisions.split(","), ("#1f77b4", "#d62728", "#2ca02c")):
    best, last = [], []
    for seed in a.seeds.split(","):
        steps, evaluations = log_of(precision, seed)
        curves.append((precision, colour, smooth(steps)))
        best.append(max(e["eval_accuracy"] for e in evaluations))
        last.append(evaluations[-1]["eval_accuracy"])
    spread = lambda v: f"{100 * statistics.mean(v):.2f} ± {100 * statistics.stdev(v):.2f}" if len(v) > 1 else f"{100 * v[0]:.2f}"
    rows.append(f"| {precision} | {', '.join(f'{100 * v:.2f}' for v in last)} | {spread(last)} | {spread(best)} |")
svg(curves, a.plot)
print(f"| precision | dev accuracy after {EPOCHS} epochs, seeds {a.seeds} | mean ± sd | best epoch, mean ± sd |\n|---|---|---|---|")
print("\n".join(rows))
