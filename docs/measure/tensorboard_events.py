# SPDX-License-Identifier: Apache-2.0
"""Reads an event file with TensorBoard's own reader and compares it with the metrics.jsonl of the same run (--log-format both): every scalar of every
step once, in order. Usage: pip install tensorboard; python tensorboard_events.py LOG_DIR"""
import json
import pathlib
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader


def f32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


folder = pathlib.Path(sys.argv[1])
expected = {}
for line in (folder / "metrics.jsonl").read_text().splitlines():
    record = json.loads(line)
    step = record.pop("step")
    evaluation = "eval_loss" in record
    for name, value in record.items():
        if evaluation and name == "epoch":
            continue
        tag = "eval/" + name.removeprefix("eval_") if evaluation else "train/" + name
        expected.setdefault(tag, []).append((step, f32(value)))

accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
accumulator.Reload()
tags = accumulator.Tags()["scalars"]
assert sorted(tags) == sorted(expected), (tags, sorted(expected))
for tag, values in expected.items():
    found = [(event.step, f32(event.value)) for event in accumulator.Scalars(tag)]
    assert found == values, (tag, found[:3], values[:3])
files = list(folder.glob("*tfevents*"))
events = [event for file in files for event in EventFileLoader(str(file)).Load()]
assert events[0].file_version == "brain.Event:2", events[0]
print(f"{len(files)} event file, {len(events)} events, {len(tags)} tags, {sum(map(len, expected.values()))} scalars: as in metrics.jsonl")
