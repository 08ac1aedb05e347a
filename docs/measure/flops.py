# SPDX-License-Identifier: Apache-2.0
"""Compares the work that `inspect --json` states with what PyTorch's flop counter finds in the same model:
directories in Hugging Face's form of random models of several shapes, also shrunk ones that transformers can load.

    python docs/measure/flops.py --apps build/apps

Needs torch and transformers. Exit code 1 where a number differs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForSequenceClassification

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--apps", default="build/apps", type=pathlib.Path)
parser.add_argument("models", nargs="*", default=["random:tiny", "random:mini", "random:small", "random:base"])
arguments = parser.parse_args()


def run(program, *words):
    return subprocess.run([arguments.apps / program, *map(str, words)], check=True, capture_output=True, text=True).stdout


different = False
with tempfile.TemporaryDirectory() as folder:
    for i, name in enumerate(arguments.models):
        directory = pathlib.Path(folder) / str(i)
        run("export", "--model", name, "--output", directory)
        ours = json.loads(run("inspect", directory, "--json"))["complexity"]
        model = AutoModelForSequenceClassification.from_pretrained(directory, attn_implementation="eager").eval()
        assert sum(p.numel() for p in model.parameters()) == ours["parameters"], name
        for length, macs in ours["macs_per_sentence"].items():
            with FlopCounterMode(display=False) as counter, torch.no_grad():
                model(input_ids=torch.zeros(1, int(length), dtype=torch.long))
            found = counter.get_total_flops()
            different |= found != 2 * macs
            print(f"{name} {length} tokens: inspect {2 * macs} FLOP, PyTorch {found}{'' if found == 2 * macs else '  DIFFERENT'}")
sys.exit(different)
