# SPDX-License-Identifier: Apache-2.0
"""Trains the dense models that the other scripts start from: full SST-2, several precisions and seeds. Prints their dev
accuracy as the Markdown table of docs/results/ACCURACY.md and draws their loss curves as an SVG. A run that is complete
in --runs is not repeated; a run that was stopped continues."""
import json, os, subprocess, sys
import programs

p = programs.parser(__doc__, "data", "runs", "seeds")
p.add_argument("--model", required=True, help="the pretrained encoder, a Hugging Face directory")
p.add_argument("--plot", required=True, help="SVG file to write")
p.add_argument("--precisions", default="f32,bf16", help="default f32,bf16")
p.add_argument("--learning-rate", default="5e-5", help="default 5e-5")
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
        out.append(f'<text x="{width - 20}" y="{36 + 18 * i}" text-anchor="end" fill="{colour}">{name}: training loss, one line a seed</text>')
    for step in range(0, last + 1, 1000):
        out.append(f'<text x="{place(step, 0).split(",")[0]}" y="{height - 25}" text-anchor="middle">{step}</text>')
    out.append(f'<text x="{width // 2}" y="{height - 7}" text-anchor="middle">training step (mean of 200 steps)</text></svg>')
    with open(path, "w", encoding="utf8") as f:
        f.write("\n".join(out) + "\n")


curves, rows = [], []
for precision, colour in zip(a.precisions.split(","), ("#1f77b4", "#d62728", "#2ca02c")):
    best, last = [], []
    for seed in a.seeds.split(","):
        steps, evaluations = log_of(precision, seed)
        curves.append((precision, colour, smooth(steps)))
        best.append(100 * max(e["eval_accuracy"] for e in evaluations))
        last.append(100 * evaluations[-1]["eval_accuracy"])
    rows.append(f"| {precision} | {', '.join(f'{v:.2f}' for v in last)} | {programs.spread(last)} | {programs.spread(best)} |")
svg(curves, a.plot)
print(f"| precision | dev accuracy after {EPOCHS} epochs, seeds {a.seeds} | mean ± sd | best epoch, mean ± sd |\n|---|---|---|---|")
print("\n".join(rows))
