# SPDX-License-Identifier: Apache-2.0
"""Accuracy and speed of inference of one fine-tuned checkpoint in PyTorch, ONNX Runtime and Espalier, measured in turns
in one run, as the Markdown table of docs/results/INFERENCE.md. Each quantizes the model with its own tools. Sentences
are sorted by length, which suits padding best; one by one is measured on every fourth of them. Making tokens is not
included. Run it with a Python that has torch, transformers, h5py and onnxruntime, and with nothing else on the
machine."""
import json, os, statistics, sys, tempfile, time
import programs

p = programs.parser(__doc__, "model", "data", "rounds")
p.add_argument("--tokenizer", required=True, help="Hugging Face directory with the model's vocabulary")
p.add_argument("--students", nargs="*", default=[], metavar="FILE.h5", help="further checkpoints of Espalier, a row each")
a = p.parse_args()

import h5py, numpy, torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

os.environ.pop("OPENBLAS_CORETYPE", None)
torch.set_num_threads(2)
work = tempfile.mkdtemp()
rows = [line.rstrip("\n").rsplit("\t", 1) for line in open(os.path.join(a.data, "dev.tsv"), encoding="utf8")][1:]
tokens = BertTokenizerFast.from_pretrained(a.tokenizer)([r[0] for r in rows], truncation=True, max_length=128)["input_ids"]
examples = sorted(zip(tokens, [int(r[1]) for r in rows]), key=lambda e: len(e[0]))


def batches(size, every=1):
    for i in range(0, len(examples), size * every):
        part = examples[i:i + size]
        ids = numpy.zeros((len(part), max(len(x) for x, _ in part)), numpy.int64)
        mask = numpy.zeros_like(ids)
        for j, (x, _) in enumerate(part):
            ids[j, :len(x)], mask[j, :len(x)] = x, 1
        yield ids, mask, numpy.array([y for _, y in part])


def measured(logits_of):
    """(accuracy, sentences a second 32 at a time, and one by one)"""
    result, right = [], 0
    for size, every in ((32, 1), (1, 4)):
        of = list(batches(size, every))
        start = time.perf_counter()
        for ids, mask, labels in of:
            found = int((logits_of(ids, mask).argmax(-1) == labels).sum())
            right += found if every == 1 else 0
        result.append(sum(len(y) for _, _, y in of) / (time.perf_counter() - start))
    return right / len(examples), *result


def program(name, *options):
    return programs.run(a.build, name, *options, "--threads", 2)[-1]


def ours(path, precision):
    def measure():
        every = [program("evaluate", "--model", path, "--data", data, "--precision", precision, "--batch-size", size) for data, size in ((os.path.join(a.data, "dev.tsv"), "32"), (quarter, "1"))]
        return every[0]["eval_accuracy"], *(e["eval_samples_per_second"] for e in every)
    return measure


quarter = os.path.join(work, "quarter.tsv")
by_length = sorted(zip(map(len, tokens), rows), key=lambda e: e[0])
with open(quarter, "w", encoding="utf8") as f:
    f.write("sentence\tlabel\n" + "".join(f"{r[0]}\t{r[1]}\n" for _, r in by_length[::4]))

with h5py.File(a.model) as file:
    config = json.loads(bytes(file["config"][()]).decode())
    state = {name: torch.from_numpy(file["weights"][name][()]) for name in file["weights"]}
model = BertForSequenceClassification(BertConfig(**{k: config[k] for k in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")}, num_labels=2)).eval()
missing, unexpected = model.load_state_dict(state, strict=False)
if unexpected or any("position_ids" not in name for name in missing):
    sys.exit(f"{a.model}: PyTorch's model lacks {unexpected} and wants {missing}")


def torch_logits(m, bf16=False):
    def f(ids, mask):
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            return m(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.float().numpy()
    return f


entries = {"PyTorch f32": lambda: measured(torch_logits(model)), "PyTorch bf16": lambda: measured(torch_logits(model, True))}
dynamic = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
entries["PyTorch dynamic int8"] = lambda: measured(torch_logits(dynamic))


class Exported(torch.nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, input_ids, attention_mask):
        return self.m(input_ids=input_ids, attention_mask=attention_mask).logits


onnx = {"f32": os.path.join(work, "f32.onnx"), "int8": os.path.join(work, "int8.onnx")}
model.config._attn_implementation = "eager"
ids, mask, _ = next(batches(2))
axes = {0: "b", 1: "s"}
torch.onnx.export(Exported(model).eval(), (torch.from_numpy(ids), torch.from_numpy(mask)), onnx["f32"], input_names=["input_ids", "attention_mask"], output_names=["logits"],
                  dynamic_axes={"input_ids": axes, "attention_mask": axes}, opset_version=17, dynamo=False)
model.config._attn_implementation = "sdpa"
import onnxruntime
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer

fused = optimizer.optimize_model(onnx["f32"], "bert", num_heads=config["num_attention_heads"], hidden_size=config["hidden_size"])
fused.save_model_to_file(onnx["f32"])
quantize_dynamic(onnx["f32"], onnx["int8"], per_channel=True, weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": 1})
for kind, path in onnx.items():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entries[f"ONNX Runtime {'dynamic ' if kind == 'int8' else ''}{kind}"] = lambda s=session: measured(lambda i, m: s.run(None, {"input_ids": i, "attention_mask": m})[0])

sizes = {"PyTorch f32": os.path.getsize(a.model), "ONNX Runtime f32": os.path.getsize(onnx["f32"]), "ONNX Runtime dynamic int8": os.path.getsize(onnx["int8"])}
torch.save(dynamic.state_dict(), os.path.join(work, "dynamic.pt"))
sizes["PyTorch dynamic int8"] = os.path.getsize(os.path.join(work, "dynamic.pt"))
entries |= {"Espalier f32": ours(a.model, "f32"), "Espalier bf16": ours(a.model, "bf16")}
sizes["Espalier f32"] = os.path.getsize(a.model)
for kind, more in {"dynamic int8": ["--mode", "dynamic"], "static int8": ["--calibration", os.path.join(a.data, "train.tsv"), "--observer", "percentile"],
                   "dynamic int8, int8 embeddings": ["--mode", "dynamic", "--embedding-bits", "8"]}.items():
    path = os.path.join(work, kind.replace(" ", "_").replace(",", "") + ".h5")
    program("quantize", "--model", a.model, "--output", path, *more)
    entries[f"Espalier {kind}"], sizes[f"Espalier {kind}"] = ours(path, "f32"), os.path.getsize(path)
for path in a.students:
    name = f"Espalier {os.path.basename(path)[:-3]}"
    entries[name], sizes[name] = ours(path, "f32"), os.path.getsize(path)

found = {name: [] for name in entries}
for r in range(a.rounds + 1):
    for name, measure in entries.items():
        figures = measure()
        if r > 0:  # the first is not counted
            found[name].append(figures)
        print(f"round {r}: {name} {figures}", file=sys.stderr, flush=True)
medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in found.items()}
base = medians["PyTorch f32"]
print("| model | dev accuracy | file | sentences/s, 32 at a time | one by one | against PyTorch f32 |\n|---|---|---|---|---|---|")
for name, (accuracy, many, one) in medians.items():
    size = f"{sizes[name] * 1e-6:.1f} MB" if name in sizes else ""
    print(f"| {name} | {100 * accuracy:.2f} | {size} | {many:.0f} | {one:.0f} | {many / base[1]:.2f} ×, {one / base[2]:.2f} × |")
