# SPDX-License-Identifier: Apache-2.0
"""Speed of inference of Espalier, PyTorch, ONNX Runtime and OpenVINO (NNCF) on the same models with two threads each,
measured in turns in one run: a fine-tuned MiniLM, and a BERT-base of random weights, which is as fast as any other one.
Prints the Markdown tables of docs/results/INFERENCE.md: all models, and the figures to reach. Each quantizes with its
own tools, on the same training text. Sentences are sorted by length; one by one is measured on every fourth of them.
Making tokens is not included. Run it with a Python that has torch and transformers, and onnxruntime, openvino and nncf
as far as these are wanted, and with nothing else on the machine."""
import os, statistics, sys, tempfile
import programs

p = programs.parser(__doc__, "model", "data", "rounds")
p.add_argument("--students", nargs="*", default=[], metavar="FILE.h5", help="smaller checkpoints made from the model, a row each")
p.add_argument("--models", default="minilm,base", help="minilm (the checkpoint) and base, or one of them (default both)")
p.add_argument("--only", default="PyTorch,ONNX Runtime,OpenVINO,Espalier", help="who is measured; by default all")
p.add_argument("--sentences", type=int, default=872, help="of dev.tsv, evenly chosen; for base a quarter of them (default 872)")
a = p.parse_args()
only, kinds = a.only.split(","), a.models.split(",")
for option, given, known in (("--only", only, ["PyTorch", "ONNX Runtime", "OpenVINO", "Espalier"]), ("--models", kinds, ["minilm", "base"])):
    for name in given:
        if name not in known:
            p.error(f"{option} {name}: expected some of {','.join(known)}")

import figures, peers
from own_models import OwnModels

os.environ.pop("OPENBLAS_CORETYPE", None)
FLAGS = next((line.split() for line in open("/proc/cpuinfo") if line.startswith("flags")), [])
BF16 = "avx512_bf16" in FLAGS or "amx_bf16" in FLAGS
MACHINE = "AMX" if "amx_int8" in FLAGS else "AVX-512 VNNI" if "avx512_vnni" in FLAGS else "AVX2"


def rows_of(name, count):
    """So many rows of the file, from all of it: (sentence, label)"""
    rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(os.path.join(a.data, name), encoding="utf8")][1:]
    return [rows[i * len(rows) // count] for i in range(min(count, len(rows)))]


class Model:
    """One model, measured in all forms; `found` has the median figures of each entry by its name."""

    def __init__(self, name, source, sentences, students, work):
        self.name, self.trained, hf = name, source[0] == a.model, os.path.join(work, "hf")
        os.makedirs(work)
        programs.run(a.build, "export", "--model", *source, "--output", hf)
        rows = rows_of("dev.tsv", sentences)
        with open(os.path.join(work, "dev.tsv"), "w", encoding="utf8") as f:
            f.write("sentence\tlabel\n" + "".join(f"{sentence}\t{label}\n" for sentence, label in rows))
        self.sentences, training = peers.Sentences(hf, rows), peers.Sentences(hf, rows_of("train.tsv", 600))
        self.entries, self.left_out = peers.entries(hf, self.sentences, training, work, BF16, only)
        self.own = OwnModels(a.build, hf, a.data, work, work)
        if "Espalier" in only:
            self.entries += self.own.entries(BF16, students)
        self.found = {}

    def measure(self):
        found = {entry.name: [] for entry in self.entries}
        for r in range(a.rounds + 1):
            for entry in self.entries:
                figures = entry.measure()
                if r > 0:  # the first is not counted
                    found[entry.name].append(figures)
                print(f"{self.name}, round {r}: {entry.name} {figures}", file=sys.stderr, flush=True)
        self.found = {name: [statistics.median(column) for column in zip(*values)] for name, values in found.items()}

    def print_table(self):
        base = self.found.get("PyTorch f32")
        print("| model | dev accuracy | file | sentences/s, 32 at a time | one by one | against PyTorch f32 |\n|---|---|---|---|---|---|")
        for entry in self.entries:
            accuracy, many, one = self.found[entry.name]
            right = f"{100 * accuracy:.2f}" if self.trained else ""
            size = f"{os.path.getsize(entry.file) * 1e-6:.1f} MB" if entry.file else ""
            ratio = f"{many / base[1]:.2f} ×, {one / base[2]:.2f} ×" if base else ""
            print(f"| {entry.name} | {right} | {size} | {many:.0f} | {one:.0f} | {ratio} |")


with tempfile.TemporaryDirectory() as work:
    models = []
    for kind in kinds:
        if kind == "minilm":
            models.append(Model("MiniLM", [a.model], a.sentences, a.students, os.path.join(work, kind)))
        else:
            vocabulary = os.path.join(work, "vocabulary")
            programs.run(a.build, "export", "--model", a.model, "--output", vocabulary)
            models.append(Model("BERT-base", ["random:base", "--vocab", vocabulary], max(1, a.sentences // 4), [], os.path.join(work, kind)))
        models[-1].measure()
    cpu = programs.run(a.build, "bench", "infer", "--model", "random:tiny", "--data", os.path.join(work, kind), "--figures", "throughput", "--batch-sizes", 32, "--steps", 1)[0]["cpu"]
    print(f"## {cpu}\n\nTwo threads, one run, in turns, medians of {a.rounds} rounds.")
    for model in models:
        print(f"\n### {model.name}\n")
        model.print_table()
        for text in model.left_out:
            print(f"\nLeft out: {text}")
    print(f"\n### The figures to reach, {MACHINE}\n\nBold: reached.\n")
    figures.print_figures(MACHINE, models)
