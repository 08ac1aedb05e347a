# SPDX-License-Identifier: Apache-2.0
"""Models of every kind as ONNX files in ONNX Runtime and OpenVINO: whether the logits are Espalier's on all rows of
dev.tsv, and how fast the files are beside those that the peers' own tools make of the same model. Checks the token ids
of tokenizer.json, too. Prints the Markdown tables of docs/results/EXPORT.md. Models are made from --model within
minutes, most of them without training: agreement is measured here, not accuracy. Run it with a Python that has torch,
transformers, onnx, onnxruntime, openvino and nncf; for speeds with nothing else on the machine."""
import contextlib, logging, os, statistics, sys, tempfile, time
import programs

p = programs.parser(__doc__, "model", "data", "rounds")
p.add_argument("--more", nargs="*", default=[], metavar="FILE.h5", help="further checkpoints, a row each, such as results of recipes")
p.add_argument("--no-speed", action="store_true", help="measure agreement only")
p.add_argument("--busy", action="store_true", help="the machine has other work: measure processor time on one thread, and count the quickest round")
a = p.parse_args()

import numpy, onnx, onnxruntime, openvino
from transformers import AutoTokenizer
import exported_models, exported_tokens, peers

TIE = 1e-3  # logits that are closer to each other decide nothing
CORE = openvino.Core()
THREADS, CLOCK, CHOSEN = (1, time.process_time, max) if a.busy else (peers.THREADS, time.perf_counter, statistics.median)


def onnx_runtime(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = THREADS, 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return lambda feed: session.run(None, {name: feed[name] for name in names})[0]


def open_vino(path):
    hints = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    model = CORE.compile_model(CORE.read_model(path), "CPU", hints)
    names = [i.any_name for i in model.inputs]
    return lambda feed: model({name: feed[name] for name in names})[0]


RUNTIMES = {"ONNX Runtime": onnx_runtime, "OpenVINO": open_vino}


def espaliers(kind, work):
    path = os.path.join(work, "logits.tsv")
    programs.run(a.build, "evaluate", "--model", kind.model, "--data", kind.data, "--logits", path, "--overwrite")
    return numpy.loadtxt(path, dtype=numpy.float32, ndmin=2)


def batches(kind, directory, size=32):
    """Rows' numbers and what the graph takes, sorted by length, so that there is some padding but not much."""
    columns = list(zip(*[line.rstrip("\n").split("\t") for line in open(kind.data, encoding="utf8")][1:]))
    texts = list(columns[0]), list(columns[1]) if kind.pairs else None
    tokens = AutoTokenizer.from_pretrained(directory)(*texts, truncation=True, max_length=128)
    order = sorted(range(len(columns[0])), key=lambda i: len(tokens["input_ids"][i]))
    for i in range(0, len(order), size):
        part = order[i : i + size]
        feed = {name: numpy.zeros((len(part), max(len(tokens["input_ids"][row]) for row in part)), numpy.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
        for name, array in feed.items():
            for j, row in enumerate(part):
                array[j, : len(tokens[name][row])] = tokens[name][row]
        yield part, feed


class Comparison:
    """Logits of a runtime beside Espalier's."""

    def __init__(self, expected, found, classes):
        self.largest, self.median = (float(f(numpy.abs(expected - found).max(axis=1))) for f in (numpy.max, numpy.median))
        if not classes:  # each number is an answer
            expected, found = numpy.zeros((1, 2)), numpy.zeros((1, 2))
        other = expected.argmax(axis=1) != found.argmax(axis=1)
        margins = numpy.sort(expected, axis=1)[:, -1] - numpy.sort(expected, axis=1)[:, -2]
        self.margins = sorted(margins[other & (margins > TIE)].tolist())

    def cells(self):
        flips = f"{len(self.margins)} (by {', '.join(f'{m:.3f}' for m in self.margins)})" if self.margins else "0"
        return f"{self.largest:.0e} | {self.median:.0e} | {flips}"


def agreement(kinds, work):
    """Prints the table and returns the folders of the exports by kind's name."""
    print("| model | file | " + " | ".join(f"{name}: largest | median | other answers" for name in RUNTIMES) + " |")
    print("|---|---" + "|---|---|---" * len(RUNTIMES) + "|")
    folders = {}
    for kind in kinds:
        folder = folders[kind.name] = os.path.join(work, f"export{len(folders)}")
        programs.run(a.build, "export", "--model", kind.model, "--format", "onnx", "--output", folder)
        path = os.path.join(folder, "onnx", "model.onnx")
        onnx.checker.check_model(path, full_check=True)
        expected, cells = espaliers(kind, work), []
        feeds = list(batches(kind, folder))
        for make in RUNTIMES.values():
            answer, found = make(path), numpy.zeros_like(expected)
            for rows, feed in feeds:
                found[rows] = answer(feed)
            cells.append(Comparison(expected, found, kind.classes).cells())
        print(f"| {kind.name} | {os.path.getsize(path) * 1e-6:.1f} MB | {' | '.join(cells)} |", flush=True)
    return folders


def peers_own(model, work):
    """(runtime, name, path) of what the peers' tools make of our f32 file."""
    import nncf
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static

    rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(os.path.join(a.data, "train.tsv"), encoding="utf8")][1:]
    training = peers.Sentences(os.path.dirname(os.path.dirname(model)), [rows[i * len(rows) // 600] for i in range(600)])
    feeds = [feed_of(ids, mask) for ids, mask, _ in training.batches(4, 3)[:50]]

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(feeds)

        def get_next(self):
            return next(self.rest, None)

    dynamic, static, nncfs = (os.path.join(work, name) for name in ("dynamic.onnx", "static.onnx", "nncf.xml"))
    common = {"per_channel": True, "weight_type": QuantType.QInt8, "extra_options": {"DefaultTensorType": 1}}
    quantize_dynamic(model, dynamic, **common)
    yield "ONNX Runtime", "its own dynamic int8", dynamic
    quantize_static(model, static, Reader(), activation_type=QuantType.QUInt8, op_types_to_quantize=["MatMul", "Gemm"], **common)
    yield "ONNX Runtime", "its own static int8", static
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr):  # its progress bars
        quantized = nncf.quantize(CORE.read_model(model), nncf.Dataset(feeds), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(feeds))
    openvino.save_model(quantized, nncfs)
    yield "OpenVINO", "its own static int8 (NNCF)", nncfs


def feed_of(ids, mask):
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": numpy.zeros_like(ids)}


def speeds(kinds, folders, work):
    sentences = peers.Sentences(folders["f32"], exported_models.Kinds(a.build, a.model, a.data, work).rows)
    path_of = lambda name: os.path.join(folders[name], "onnx", "model.onnx")
    entries = [(runtime, kind.name, path_of(kind.name)) for runtime in RUNTIMES for kind in kinds if kind.name in exported_models.TIMED]
    entries += peers_own(path_of("f32"), work)
    answers = [RUNTIMES[runtime](path) for runtime, _, path in entries]
    found = [[] for _ in entries]
    for r in range(a.rounds + 1):
        for entry, answer, values in zip(entries, answers, found):
            figures = peers.speeds(lambda ids, mask: answer(feed_of(ids, mask)), sentences, clock=CLOCK)
            if r > 0:  # the first is not counted
                values.append(figures)
            print(f"round {r}: {entry[0]} {entry[1]} {figures}", file=sys.stderr, flush=True)
    print("\n| runtime | model | dev accuracy | sentences/s, 32 at a time | one by one |\n|---|---|---|---|---|")
    for (runtime, name, _), values in sorted(zip(entries, found), key=lambda e: e[0][0]):
        accuracy, many, one = (CHOSEN(column) for column in zip(*values))
        print(f"| {runtime} | {name} | {100 * accuracy:.2f} | {many:.0f} | {one:.0f} |")


logging.disable(logging.WARNING)
with tempfile.TemporaryDirectory() as work:
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    print(f"## {cpu}\n\n{exported_tokens.summary(a.build, work)}\n")
    kinds = list(exported_models.Kinds(a.build, a.model, a.data, work).all(a.more))
    folders = agreement(kinds, work)
    if not a.no_speed:
        speeds(kinds, folders, work)
