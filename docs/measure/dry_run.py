# SPDX-License-Identifier: Apache-2.0
"""Compares what --dry-run expects with a run: time and peak memory. Forecast, run and forecast take turns, so that what else the machine does
disturbs both. Usage: python dry_run.py ROUNDS BUILD/apps/train --model MODEL --data DATA …   (without --output)"""
import json
import pathlib
import subprocess
import sys
import tempfile

rounds, command = int(sys.argv[1]), sys.argv[2:]
with tempfile.TemporaryDirectory() as folder:
    output = ["--output", str(pathlib.Path(folder) / "m.h5"), "--overwrite", "--json", "--quiet"]

    def run(*more):
        return json.loads(subprocess.run([*command, *output, *more], check=True, capture_output=True, text=True).stdout)

    for _ in range(rounds):
        before, real, after = run("--dry-run"), run(), run("--dry-run")
        expected = (before["runtime"] + after["runtime"]) / 2
        print(f"time {expected:.1f} s expected, {real['runtime']:.1f} s needed, ratio {expected / real['runtime']:.2f}; "
              f"memory {before['peak_memory'] / 1e6:.0f} MB expected, {real['peak_memory'] / 1e6:.0f} MB needed, "
              f"ratio {before['peak_memory'] / real['peak_memory']:.2f}")
