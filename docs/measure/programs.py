# SPDX-License-Identifier: Apache-2.0
"""What the scripts of this folder share: their options, running the project's programs, and how figures are written."""
import argparse, json, os, statistics, subprocess, sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OPTIONS = {
    "model": {"required": True, "help": "fine-tuned checkpoint FILE.h5"},
    "data": {"required": True, "help": "folder with SST-2's train.tsv and dev.tsv"},
    "runs": {"required": True, "help": "folder for the models that are made; what is there already is not made again"},
    "dense": {"required": True, "help": "folder of the dense models that accuracy.py trained (f32_0.h5, f32_1.h5, …)"},
    "precision": {"default": "f32", "help": "in which the dense models were trained: f32 or bf16 (default f32)"},
    "seeds": {"default": "0,1,2", "help": "of the dense models (default 0,1,2)"},
    "pretrained": {"help": "the encoder before fine-tuning, for rows that start there"},
    "rounds": {"type": int, "default": 3, "help": "of each measurement; the median counts (default 3)"},
    "jobs": {"type": int, "default": 2, "help": "trainings at a time, one thread each (default 2)"},
    "report": {"action": "store_true", "help": "train nothing: measure and print what --runs has"},
    "build": {"default": os.path.join(ROOT, "build"), "help": "the project's build folder"},
}


def parser(description, *names):
    """A parser with the named ones of OPTIONS, and --build."""
    result = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in (*names, "build"):
        result.add_argument("--" + name, **OPTIONS[name])
    return result


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


def dense(options, seed):
    return os.path.join(options.dense, f"{options.precision}_{seed}.h5")


def spread(values):
    """Mean ± standard deviation of several seeds."""
    values = list(values)
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"
