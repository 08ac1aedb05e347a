# SPDX-License-Identifier: Apache-2.0
"""What the scripts of this folder share: running the project's programs, and how figures are written."""
import json, os, statistics, subprocess, sys

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build")


def run(build, name, *options):
    """The JSON objects that the program prints; ends this script with its message if it fails."""
    command = [os.path.join(build, "apps", name), *map(str, options), "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def accuracy(build, model, data, *options):
    """Dev accuracy in percent."""
    return 100 * run(build, "evaluate", "--model", model, "--data", os.path.join(data, "dev.tsv"), *options)[-1]["eval_accuracy"]


def add_dense(parser):
    """The options that name the models of docs/measure/accuracy.py."""
    parser.add_argument("--dense", required=True, help="folder of the dense models that docs/measure/accuracy.py trained (f32_0.h5, f32_1.h5, …)")
    parser.add_argument("--precision", default="f32", help="in which they were trained: f32 or bf16")
    parser.add_argument("--seeds", default="0,1,2")


def dense(options, seed):
    return os.path.join(options.dense, f"{options.precision}_{seed}.h5")


def spread(values):
    """Mean ± standard deviation of several seeds."""
    values = list(values)
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"
