# SPDX-License-Identifier: Apache-2.0
"""Reads a checkpoint with h5py alone. `python3 read_checkpoint.py FILE.h5` lists what is in it."""
import json, math, sys
import h5py, numpy as np


def text(file, name):  # one string; bytes in files of format version 1
    return np.asarray(file[name]).tobytes().decode()


def texts(file, name):  # an array of strings; bytes with a text a line in version 1
    return text(file, name).split("\n")[:-1] if file[name].dtype == np.uint8 else list(file[name].asstr())


def weight(node):  # the values, and the integers that they are made of, if any
    encoding = node.attrs["encoding"].decode()
    if encoding == "dense":
        return node[()], None
    shape, values = [int(d) for d in node.attrs["shape"].split()], node["values"][()]
    kept = np.ones(math.prod(shape), bool)
    if "bitmap" in node:
        kept = np.unpackbits(node["bitmap"][()], count=kept.size, bitorder="little") == 1
    if encoding == "int4":  # two a byte, the first one in the low half
        values = (np.stack([values & 15, values >> 4], 1).ravel()[: kept.sum()].astype(np.int8) ^ 8) - 8
    whole = np.zeros(kept.size, values.dtype)
    whole[kept] = values
    whole = whole.reshape(shape)
    return (whole, None) if encoding == "sparse" else (whole * node["scales"][()][:, None], whole)


def read_checkpoint(path):
    with h5py.File(path) as file:
        model = {name: json.loads(text(file, name)) for name in ("config", "tokenizer", "options")}
        model["vocabulary"] = texts(file, "vocabulary")
        model["merges"] = texts(file, "merges") if "merges" in file else []  # of a byte-level BPE
        weights = {name: weight(node) for name, node in file["weights"].items()}
        model["weights"] = {name: values for name, (values, _) in weights.items()}
        model["integers"] = {name: integers for name, (_, integers) in weights.items() if integers is not None}
        model["masks"] = {}  # of what was pruned: what is kept
        for name in texts(file, "pruned") if "pruned" in file else []:
            kept = model["weights"][name] != 0
            if name in file.get("masks", {}):
                bits = np.unpackbits(file["masks"][name][()], count=kept.size, bitorder="little")
                kept = bits.reshape(kept.shape) == 1
            model["masks"][name] = kept
        return model


if __name__ == "__main__":
    model = read_checkpoint(sys.argv[1])
    print(len(model["vocabulary"]), "tokens; labels:", *model["config"]["id2label"].values())
    for name, values in model["weights"].items():
        kind = "integers" if name in model["integers"] else str(values.dtype)
        kept = f", {model['masks'][name].mean():.0%} kept" if name in model["masks"] else ""
        print(f"{name} {list(values.shape)} {kind}{kept}")
