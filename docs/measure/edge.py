# SPDX-License-Identifier: Apache-2.0
"""Models of every kind as edge files: whether the runtime gives Espalier's answers on all rows of dev.tsv, on this
machine, as WebAssembly and on AArch64. Prints a Markdown table of docs/results/EXPORT.md. The models are those of
exports.py. Needs node, qemu-aarch64, and the runtimes of `make wasm` and `make aarch64`; one that is missing has no
column. The emulated ones take minutes for each model."""
import math, os, shutil, subprocess, sys, tempfile
import exported_models, programs

p = programs.parser(__doc__, "model", "data")
p.add_argument("--more", nargs="*", default=[], metavar="FILE.h5", help="further checkpoints, a row each, such as results of recipes")
p.add_argument("--kinds", default="", help="only kinds whose name has one of these in it, with commas between")
p.add_argument("--emulated-rows", type=int, help="rows on AArch64, the first ones (default all)")
a = p.parse_args()

TIE = 1e-3  # probabilities that are closer to each other decide nothing


def runtimes():
    """Name and command of each that is there."""
    root = programs.ROOT
    all_ = {"this machine": [os.path.join(a.build, "apps", "edge")],
            "WebAssembly (node)": ["node", "--no-experimental-fetch", os.path.join(root, "build-wasm", "edge", "edge.js")],
            "AArch64 (qemu)": ["qemu-aarch64", "-cpu", "max", os.path.join(root, "build-aarch64", "edge", "edge")]}
    return {name: command for name, command in all_.items() if os.path.exists(command[-1]) and shutil.which(command[0])}


def expected_scores(kind, work):
    """What the runtime should print for each row: probabilities, or the numbers of a regression."""
    path = os.path.join(work, "logits.tsv")
    programs.run(a.build, "evaluate", "--model", kind.model, "--data", kind.data, "--logits", path, "--overwrite")
    for line in open(path):
        logits = [float(v) for v in line.split()]
        if kind.name.endswith("regression"): yield logits
        elif not kind.classes: yield [1 / (1 + math.exp(-v)) for v in logits]
        else:
            powers = [math.exp(v - max(logits)) for v in logits]
            yield [v / sum(powers) for v in powers]


def found_scores(command, kind, edge, rows):
    columns = 2 if kind.pairs else 1
    texts = ["\t".join(line.split("\t")[:columns]) for line in open(kind.data, encoding="utf8").read().split("\n")[1:] if line][:rows]
    done = subprocess.run([*command, edge], input="\n".join(texts) + "\n", capture_output=True, text=True)
    if done.returncode != 0: sys.exit(f"{' '.join(command)} {edge} failed: {done.stderr[-300:]}")
    return [[float(v) for v in line.split("\t")[1].split()] for line in done.stdout.splitlines()]


def cells(expected, found, classes):
    """The largest difference of a score, and how many answers are others, without ties."""
    expected = expected[: len(found)]
    largest = max(abs(e - f) for row, other in zip(expected, found) for e, f in zip(row, other))
    flips = 0
    for row, other in zip(expected, found):
        first, second = sorted(row)[:-3:-1]
        flips += classes and row.index(first) != other.index(max(other)) and first - second > TIE
    return f"{largest:.0e} | {flips}"


with tempfile.TemporaryDirectory() as work:
    names = runtimes()
    print("| model | edge file | " + " | ".join(f"{name}: largest difference | other answers" for name in names) + " |")
    print("|---|---" + "|---|---" * len(names) + "|", flush=True)
    for kind in exported_models.Kinds(a.build, a.model, a.data, work).all(a.more):
        if not any(part in kind.name for part in a.kinds.split(",")): continue
        edge = os.path.join(work, "model.edge")
        programs.run(a.build, "export", "--model", kind.model, "--format", "edge", "--output", edge)
        expected = list(expected_scores(kind, work))
        row = [cells(expected, found_scores(command, kind, edge, a.emulated_rows if "qemu" in name else None), kind.classes) for name, command in names.items()]
        print(f"| {kind.name} | {os.path.getsize(edge) * 1e-6:.1f} MB | {' | '.join(row)} |", flush=True)
