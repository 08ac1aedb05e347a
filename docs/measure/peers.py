# SPDX-License-Identifier: Apache-2.0
"""The peers of inference.py on one Hugging Face directory, each quantized with its own tools, with two threads. What a
peer needs and is not installed leaves it out."""
import copy, logging, os, time, warnings
from collections import namedtuple

import numpy, torch
from transformers import BertForSequenceClassification, BertTokenizerFast

THREADS = 2
# kind: f32, bf16 or int8; measure(): (share of right answers, sentences/s 32 at a time, one by one); file: what holds the
# model, if it is one file
Entry = namedtuple("Entry", "name kind measure file", defaults=[None])


class Sentences:
    """Tokens and labels of dev.tsv's rows, sorted by length, which suits padding best."""

    def __init__(self, directory, rows):
        tokens = BertTokenizerFast.from_pretrained(directory)([r[0] for r in rows], truncation=True, max_length=128)["input_ids"]
        self.examples = sorted(zip(tokens, [int(r[1]) for r in rows]), key=lambda e: len(e[0]))

    def tokens_each(self):
        return sum(len(x) for x, _ in self.examples) / len(self.examples)

    def batches(self, size, every=1):
        """ids, mask and labels; every so manieth batch"""
        result = []
        for i in range(0, len(self.examples), size * every):
            part = self.examples[i : i + size]
            ids = numpy.zeros((len(part), max(len(x) for x, _ in part)), numpy.int64)
            mask = numpy.zeros_like(ids)
            for j, (x, _) in enumerate(part):
                ids[j, : len(x)], mask[j, : len(x)] = x, 1
            result.append((ids, mask, numpy.array([y for _, y in part])))
        return result


def speeds(answer, sentences, pipelined=None, clock=time.perf_counter):
    """What an Entry's measure returns, for answer(ids, mask), which gives logits, and pipelined(batches), which computes
    them for all batches in another way; the faster one counts."""
    result, right = [], 0
    for size, every in ((32, 1), (1, 4)):
        batches = sentences.batches(size, every)
        for ids, mask, _ in batches[:3]:  # warms up
            answer(ids, mask)
        start = clock()
        for ids, mask, labels in batches:
            found = int((answer(ids, mask).argmax(-1) == labels).sum())
            right += found if size > 1 else 0
        seconds = clock() - start
        if pipelined and size > 1:
            pipelined(batches[:3])
            start = clock()
            pipelined(batches[::-1])  # the longest first: both end together
            seconds = min(seconds, clock() - start)
        result.append(sum(len(y) for _, _, y in batches) / seconds)
    return right / len(sentences.examples), *result


def pytorch(model, sentences, work, bf16):
    def answer_of(m):
        def answer(ids, mask):
            with torch.inference_mode():
                return m(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).logits.float().numpy()

        return lambda: speeds(answer, sentences)

    yield Entry("PyTorch f32", "f32", answer_of(model))
    if bf16:
        yield Entry("PyTorch bf16", "bf16", answer_of(copy.deepcopy(model).bfloat16()))
    dynamic = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    path = os.path.join(work, "dynamic.pt")
    torch.save(dynamic.state_dict(), path)
    yield Entry("PyTorch dynamic int8", "int8", answer_of(dynamic), path)


class Exported(torch.nn.Module):
    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, input_ids, attention_mask):
        return self.m(input_ids=input_ids, attention_mask=attention_mask).logits


def to_onnx(model, sentences, path):
    model.config._attn_implementation = "eager"
    ids, mask, _ = sentences.batches(2)[0]
    axes = {0: "b", 1: "s"}
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(Exported(model).eval(), (torch.from_numpy(ids), torch.from_numpy(mask)), path, input_names=names, output_names=["logits"], dynamic_axes={n: axes for n in names}, opset_version=17, dynamo=False)
    model.config._attn_implementation = "sdpa"


def inputs(batch):
    return {"input_ids": batch[0], "attention_mask": batch[1]}


def onnx_runtime(onnx, config, sentences, training, work):
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.transformers import optimizer

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(training.batches(4, 8))

        def get_next(self):
            batch = next(self.rest, None)
            return batch and inputs(batch)

    def entry(name, kind, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return Entry(f"ONNX Runtime {name}", kind, lambda: speeds(lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0], sentences), path)

    fused, dynamic, static = (os.path.join(work, name + ".onnx") for name in ("fused", "dynamic", "static"))
    optimizer.optimize_model(onnx, "bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size).save_model_to_file(fused)
    yield entry("f32", "f32", fused)
    quantize_dynamic(fused, dynamic, per_channel=True, weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": 1})
    yield entry("dynamic int8", "int8", dynamic)
    # from the graph that is not fused: its own fusions come behind
    quantize_static(onnx, static, Reader(), per_channel=True, weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8, op_types_to_quantize=["MatMul", "Gemm"], extra_options={"DefaultTensorType": 1})
    yield entry("static int8", "int8", static)


def openvino(onnx, sentences, training, work, bf16):
    """32 at a time: one batch on both threads, or two batches at once, one a thread; what is faster counts."""
    import openvino as ov

    core = ov.Core()

    def entry(name, kind, path, **options):
        def compiled(**more):
            return core.compile_model(core.read_model(path), "CPU", {"INFERENCE_NUM_THREADS": THREADS, **more, **options})

        model, streams = compiled(PERFORMANCE_HINT="LATENCY"), compiled(PERFORMANCE_HINT="THROUGHPUT", NUM_STREAMS=THREADS)
        queue = ov.AsyncInferQueue(streams, THREADS)

        def pipelined(batches):
            for batch in batches:
                queue.start_async(inputs(batch))
            queue.wait_all()

        return Entry(f"OpenVINO {name}", kind, lambda: speeds(lambda ids, mask: model({"input_ids": ids, "attention_mask": mask})[0], sentences, pipelined), path.replace(".xml", ".bin"))

    yield entry("f32", "f32", onnx, INFERENCE_PRECISION_HINT="f32")
    if bf16:
        yield entry("bf16", "bf16", onnx, INFERENCE_PRECISION_HINT="bf16")
    import nncf

    nncf.set_log_level(logging.ERROR)
    calibration = [inputs(b) for b in training.batches(4, 3)[:50]]
    path = os.path.join(work, "openvino_int8.xml")
    ov.save_model(nncf.quantize(core.read_model(onnx), nncf.Dataset(calibration), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(calibration)), path)
    yield entry("static int8", "int8", path, INFERENCE_PRECISION_HINT="f32")
    if bf16:
        yield entry("static int8, rest bf16", "int8", path, INFERENCE_PRECISION_HINT="bf16")


def entries(directory, sentences, training, work, bf16, wanted):
    """(the entries of the peers `wanted`, what was left out and why)"""
    if wanted == ["Espalier"]:
        return [], []
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(THREADS)
    model = BertForSequenceClassification.from_pretrained(directory).eval()
    onnx = os.path.join(work, "model.onnx")
    to_onnx(model, sentences, onnx)
    result, left_out = [], []
    for name, make in {"PyTorch": lambda: pytorch(model, sentences, work, bf16), "ONNX Runtime": lambda: onnx_runtime(onnx, model.config, sentences, training, work),
                       "OpenVINO": lambda: openvino(onnx, sentences, training, work, bf16)}.items():
        if name not in wanted:
            continue
        try:
            for entry in make():
                result.append(entry)
        except (ImportError, AttributeError) as error:
            left_out.append(f"{name}, as far as it needs what is not installed: {error}")
    return result, left_out
