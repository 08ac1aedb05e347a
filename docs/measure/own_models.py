# SPDX-License-Identifier: Apache-2.0
"""The forms of a model that inference.py measures Espalier with: f32, bf16, int8, shrunk, with blocks of zeros."""
import os

import programs
from peers import THREADS, Entry


class OwnModels:
    """Made in the folder `work` from a Hugging Face directory; `dev` is a folder with the sentences to measure."""

    def __init__(self, build, hf, data, dev, work):
        self.build, self.hf, self.dev, self.work = build, hf, dev, work
        self.static = ["--calibration", os.path.join(data, "train.tsv"), "--observer", "percentile"]

    def program(self, name, *options):
        return programs.run(self.build, name, *options, "--threads", THREADS)

    def entries(self, bf16, students):
        yield self.entry("f32", "f32", self.hf)
        if bf16:
            yield self.entry("bf16", "bf16", self.hf, "bf16")
        yield self.entry("dynamic int8", "int8", self.quantized("dynamic", self.hf, "--mode", "dynamic"), "auto")
        yield self.entry("static int8", "int8", self.quantized("static", self.hf, *self.static), "auto")
        yield self.entry("static int8, int8 embeddings", "int8", self.quantized("small", self.hf, *self.static, "--embedding-bits", 8), "auto")
        half = "half of heads and neurons"
        shrunk = self.pruned("shrunk", self.pruned("heads", self.hf, "head", 0.5), "neuron", 0.5, "--shrink")
        yield self.entry(f"f32, {half}", "shrunk f32", shrunk)
        yield self.entry(f"static int8, {half}", "shrunk int8", self.quantized("shrunk8", shrunk, *self.static), "auto")
        blocks = self.pruned("blocks", self.hf, "block:32x4", 0.8)
        yield self.entry("static int8, 80 % of blocks zero", "sparse int8", self.quantized("blocks8", blocks, *self.static), "auto")
        for path in students:
            kind = "int8" if any(bits <= 8 for bits in self.program("inspect", path)[-1]["bits"]) else "f32"
            smaller = self.work_of(path, 32) < 0.99 * self.work_of(self.hf, 32)
            yield self.entry(os.path.basename(path)[:-3], "shrunk " * smaller + kind, path, "auto" if kind == "int8" else "f32")

    def entry(self, name, kind, path, precision="f32"):
        accuracy = self.program("evaluate", "--model", path, "--data", os.path.join(self.dev, "dev.tsv"), "--precision", precision)[-1]["eval_accuracy"]

        def measure():
            lines = self.program("bench", "infer", "--model", path, "--data", self.dev, "--precision", precision, "--figures", "throughput", "--batch-sizes", "32,1", "--steps", 4)
            rates = {line["batch_size"]: line["sentences_per_second"] for line in lines if line["figures"] == "throughput"}
            return accuracy, rates[32], rates[1]

        return Entry(f"Espalier {name}", kind, measure, path if os.path.isfile(path) else os.path.join(path, "model.safetensors"))

    def made(self, program, name, model, *options):
        path = os.path.join(self.work, name + ".h5")
        self.program(program, "--model", model, "--output", path, *options)
        return path

    def quantized(self, name, model, *options):
        return self.made("quantize", name, model, *options)

    def pruned(self, name, model, structure, amount, *options):
        return self.made("prune", name, model, "--structure", structure, "--amount", amount, *options)

    def work_of(self, model, length):
        """Operations a token, in sentences of this length."""
        return self.program("inspect", model, "--length", round(length))[-1]["flop_per_token"]

    def start(self, path):
        """(ms from the start of predict to its first answer, MB of its most memory)"""
        line = self.program("bench", "infer", "--model", path, "--data", self.dev, "--figures", "start")[-1]
        return line["first_answer_ms"], line["peak_memory_mb"]
