# SPDX-License-Identifier: Apache-2.0
"""Dev accuracy and file size of models quantized after training, as the Markdown table of docs/results/QUANTIZATION.md.
Starts from the dense models of accuracy.py."""
import os, statistics
import programs
from programs import spread

p = programs.parser(__doc__, "dense", "precision", "seeds", "data", "runs")
p.add_argument("--threads", default="2", help="of each program (default 2)")
a = p.parse_args()

STATIC = ["--calibration", os.path.join(a.data, "train.tsv")]
ROWS = [("dynamic int8", ["--mode", "dynamic"])] + [(f"static int8, {o}", [*STATIC, "--observer", o]) for o in ("minmax", "moving-average", "percentile", "histogram")]
ROWS += [("dynamic, int8 word embeddings", ["--mode", "dynamic", "--embedding-bits", "8"]), ("dynamic, 4-bit word embeddings", ["--mode", "dynamic", "--embedding-bits", "4"])]
ROWS += [("dynamic, 4-bit weights", ["--mode", "dynamic", "--bits", "4"]), ("dynamic, 3-bit weights", ["--mode", "dynamic", "--bits", "3"])]
PRUNED = ["--amount", "0.3"]  # by magnitude, each layer by itself, without training
ROWS += [("30 % pruned, then dynamic", ["--mode", "dynamic"]), ("30 % pruned, then dynamic, int8 word embeddings", ["--mode", "dynamic", "--embedding-bits", "8"])]


def accuracy(model):
    return programs.accuracy(a.build, model, a.data, "--threads", a.threads)


os.makedirs(a.runs, exist_ok=True)
seeds = a.seeds.split(",")
models = [programs.dense(a, s) for s in seeds]
dense = [accuracy(m) for m in models]
print("| quantized | dev accuracy | against f32 | file |\n|---|---|---|---|")
print(f"| nothing (f32, seeds {a.seeds}) | {spread(dense)} | | {os.path.getsize(models[0]) * 1e-6:.1f} MB |", flush=True)
for name, options in ROWS:
    found, bytes_of = [], 0
    for s, model in zip(seeds, models):
        output = os.path.join(a.runs, f"q_{s}.h5")
        if "pruned" in name:
            pruned = os.path.join(a.runs, f"p_{s}.h5")
            programs.run(a.build, "prune", "--model", model, "--output", pruned, *PRUNED)
            model = pruned
        bytes_of = programs.run(a.build, "quantize", "--model", model, "--output", output, "--seed", s, "--threads", a.threads, *options)[-1]["file_bytes"]
        found.append(accuracy(output))
    print(f"| {name} | {spread(found)} | {statistics.mean(found) - statistics.mean(dense):+.2f} | {bytes_of * 1e-6:.1f} MB |", flush=True)
