# SPDX-License-Identifier: Apache-2.0
"""docs/formats/read_checkpoint.py on checkpoints that the programs in APPS write: every number is that of a Hugging Face
directory that `export` writes of the same file. Exit code 77 without h5py: skipped.

    python3 -B read_checkpoint_test.py APPS SOURCE
"""
import json, os, pathlib, subprocess, sys, tempfile

try:
    import h5py, numpy as np
except ImportError as missing:  # another Python on the path than the system's, which has Debian's packages
    system = "/usr/bin/python3"
    if os.path.exists(system) and not os.path.samefile(system, sys.executable):
        os.execv(system, [system, "-B", *sys.argv])
    print("skipped:", missing)
    sys.exit(77)

APPS, SOURCE = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(SOURCE / "docs" / "formats"))
from read_checkpoint import read_checkpoint, texts

GOLDEN = SOURCE / "tests" / "golden"


def run(program, *words):
    subprocess.run([APPS / program, *map(str, words), "--quiet"], check=True, stdout=subprocess.PIPE)


def safetensors(path):
    raw = path.read_bytes()
    begin = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:begin])
    return {
        name: np.frombuffer(raw, "<f4", offset=begin + entry["data_offsets"][0], count=int(np.prod(entry["shape"], dtype=int))).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


def check(work, file, integers, masks):
    run("export", "--model", file, "--output", work / (file.stem + "_hf"))
    ours, theirs = read_checkpoint(file), safetensors(work / (file.stem + "_hf") / "model.safetensors")
    assert ours["weights"].keys() == theirs.keys()
    for name, values in theirs.items():
        assert ours["weights"][name].dtype == np.float32 and np.array_equal(ours["weights"][name].view("i4"), values.view("i4")), name
    assert (len(ours["integers"]) > 0) == integers and (len(ours["masks"]) > 0) == masks, file
    for name, kept in ours["masks"].items():
        assert not np.any(ours["weights"][name][~kept]), name
    assert ours["vocabulary"] == (GOLDEN / "hf_model" / "vocab.txt").read_text().splitlines()
    assert list(ours["config"]["id2label"].values()) == ["negative", "neutral", "positive"]
    print(file.name, len(theirs), "tensors")


with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    model = work / "dense.h5"
    run("export", "--model", GOLDEN / "hf_model", "--format", "h5", "--output", model)
    check(work, model, False, False)
    with h5py.File(model) as file:
        assert h5py.check_string_dtype(file["vocabulary"].dtype).encoding == "utf-8" and file["vocabulary"].shape == (25,)
        assert file["config"].asstr()[()].startswith("{") and file.attrs["format_version"] == b"2"
        assert texts(file, "vocabulary")[3] == "[SEP]"
    run("prune", "--model", model, "--amount", "0.7", "--output", work / "pruned.h5")
    check(work, work / "pruned.h5", False, True)
    run("quantize", "--model", model, "--mode", "dynamic", "--output", work / "int8.h5")
    check(work, work / "int8.h5", True, False)
    run("quantize", "--model", work / "pruned.h5", "--mode", "dynamic", "--bits", "3", "--embedding-bits", "8", "--output", work / "sparse_int4.h5")
    check(work, work / "sparse_int4.h5", True, True)
    check(work, GOLDEN / "checkpoint_of_bytes.h5", True, True)
