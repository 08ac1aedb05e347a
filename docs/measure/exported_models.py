# SPDX-License-Identifier: Apache-2.0
"""The models that exports.py exports: one of every kind, made from a fine-tuned one within minutes."""
import json, os, shutil
from collections import namedtuple

import programs

# model: what Espalier's programs take; data: a TSV file, whose rows are pairs if `pairs`; classes: the answer is the
# largest logit
Kind = namedtuple("Kind", "name model data pairs classes", defaults=[False, True])

TIMED = ["f32", "static int8", "dynamic int8", "shrunk, other heads and neurons in each layer", "all of it: shrunk, three layers, static int8"]


class Kinds:
    def __init__(self, build, model, data, work):
        self.build, self.model, self.work = build, model, work
        self.dev, self.train, self.data = os.path.join(data, "dev.tsv"), os.path.join(data, "train.tsv"), data
        self.rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(self.dev, encoding="utf8")][1:]
        self.static = ["--calibration", self.train, "--observer", "percentile"]

    def made(self, program, name, model, *options):
        path = os.path.join(self.work, name + ".h5")
        programs.run(self.build, program, "--model", model, "--output", path, *options)
        return path

    def pruned(self, name, model, structure, amount, *options):
        return self.made("prune", name, model, "--structure", structure, "--amount", amount, *options)

    def quantized(self, name, model, *options):
        return self.made("quantize", name, model, *options)

    def trained(self, name, *options):
        """A few steps: what is learned does not matter."""
        return self.made("train_sst2", name, self.model, "--data", self.data, "--max-steps", 12, "--epochs", 1, *options)

    def table(self, name, header, rows):
        path = os.path.join(self.work, name + ".tsv")
        with open(path, "w", encoding="utf8") as f:
            f.write(header + "".join("\t".join(row) + "\n" for row in rows))
        return path

    def other_task(self, problem, labels):
        """The model as a directory whose two logits mean something else."""
        path = os.path.join(self.work, problem)
        programs.run(self.build, "export", "--model", self.model, "--output", path)
        config = json.load(open(os.path.join(path, "config.json"), encoding="utf8"))
        config["problem_type"] = problem
        config.pop("head", None)
        json.dump(config, open(os.path.join(path, "config.json"), "w", encoding="utf8"))
        return path, self.table(problem, "sentence\tlabel\n", [(sentence, labels) for sentence, _ in self.rows])

    def all(self, more):
        dev = self.dev
        yield Kind("f32", self.model, dev)
        yield Kind("trained in bf16", self.trained("bf16", "--precision", "bf16"), dev)
        yield Kind("half of the weights pruned", self.pruned("pruned", self.model, "weight", 0.5), dev)
        heads = self.pruned("heads", self.model, "head", 0.4, "--scope", "global", "--layer-limit", 0.8)
        shrunk = self.pruned("shrunk", heads, "neuron", 0.5, "--scope", "global", "--layer-limit", 0.8, "--shrink")
        yield Kind("shrunk, other heads and neurons in each layer", shrunk, dev)
        layers = self.made("prune", "layers", self.model, "--keep-layers", "0,2,5")
        yield Kind("three of six layers", layers, dev)
        words = self.made("prune", "words", self.model, "--vocabulary", self.train, "--vocabulary-least", 5)
        yield Kind("vocabulary cut", words, dev)
        yield Kind("static int8", self.quantized("static", self.model, *self.static), dev)
        yield Kind("static int8, int8 embeddings", self.quantized("small", self.model, *self.static, "--embedding-bits", 8), dev)
        yield Kind("static int8, symmetric", self.quantized("symmetric", self.model, *self.static, "--symmetric", "true"), dev)
        yield Kind("static int8, one layer f32", self.quantized("mixed", self.model, *self.static, "--keep-f32", "bert.encoder.layer.2.*"), dev)
        yield Kind("dynamic int8", self.quantized("dynamic", self.model, "--mode", "dynamic"), dev)
        yield Kind("4 bits, 4-bit embeddings", self.quantized("bits4", self.model, *self.static, "--bits", 4, "--embedding-bits", 4), dev)
        yield Kind("QAT, static", self.trained("qat", "--qat.on"), dev)
        yield Kind("QAT, dynamic, 4 bits", self.trained("qat4", "--qat.on", "--qat.mode", "dynamic", "--qat.bits", 4), dev)
        blocks = self.pruned("blocks", self.model, "block:32x4", 0.8)
        yield Kind("static int8, 80 % of blocks zero", self.quantized("blocks8", blocks, *self.static), dev)
        yield Kind("all of it: shrunk, three layers, static int8", self.quantized("tiny8", self.made("prune", "tiny", shrunk, "--keep-layers", "0,2,5"), *self.static, "--embedding-bits", 8), dev)
        following = [row[0] for row in self.rows[1:]] + [self.rows[0][0]]
        pairs = self.table("pairs", "sentence\tsentence2\tlabel\n", [(row[0], second, row[1]) for row, second in zip(self.rows, following)])
        yield Kind("f32, pairs of sentences", self.model, pairs, True)
        yield Kind("f32, regression", *self.other_task("regression", "0.5,0.5"), False, False)
        yield Kind("f32, several labels each", *self.other_task("multi_label_classification", "1,0"), False, False)
        for path in more:
            yield Kind(os.path.basename(path).removesuffix(".h5"), path, dev)
