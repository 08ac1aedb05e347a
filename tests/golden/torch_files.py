# SPDX-License-Identifier: Apache-2.0
"""Writes the small files of torch.save that tests/data/models/torch_file_test.cpp reads, good ones and bad ones.

    python tests/golden/torch_files.py

torch_files/: types.bin has the same numbers in each type, and views with strides and offsets; state.bin and the two shards with their index are the
state_dict of encoders/distilbert (run encoders.py before); code.bin asks for os.system, old.bin is of the format before PyTorch 1.6, compressed.bin is
deflated, big.bin says that it is big-endian, list.bin is no dictionary. Made with torch 2.13.
"""
import json
import os
import pathlib
import pickle
import zipfile

import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent
OUT = HERE / "torch_files"


class Code:
    def __reduce__(self):
        return os.system, ("echo this must never be run",)


def archive(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo("archive/" + name), data, compression)


def main():
    OUT.mkdir(exist_ok=True)
    numbers = torch.tensor([[0.0, -0.0, 1.0], [-2.5, 65504.0, 6e-8]], dtype=torch.float64)
    state = {str(t).split(".")[1]: numbers.to(t) for t in (torch.float64, torch.float32, torch.float16, torch.bfloat16)}
    state |= {"position_ids": torch.arange(5).reshape(1, 5), "mask": torch.tensor([True, False]), "scalar": torch.tensor(7.0), "empty": torch.zeros(0, 3)}
    grid = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    state |= {"transposed": grid.t(), "part": grid[1:3, 2:5], "row": grid[2], "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
              "parameter": torch.nn.Parameter(grid[:1].clone()), "epoch": 3}
    torch.save(state, OUT / "types.bin")

    weights = load_file(HERE / "encoders" / "distilbert" / "model.safetensors")
    torch.save(weights, OUT / "state.bin")
    names = sorted(weights)
    shards = {"pytorch_model-00001-of-00002.bin": names[::2], "pytorch_model-00002-of-00002.bin": names[1::2]}
    for file, part in shards.items():
        torch.save({name: weights[name] for name in part}, OUT / file)
    index = {"metadata": {}, "weight_map": {name: file for file, part in shards.items() for name in part}}
    (OUT / "pytorch_model.bin.index.json").write_text(json.dumps(index) + "\n")

    archive(OUT / "code.bin", {"data.pkl": pickle.dumps({"weight": Code()}, protocol=2), "version": "3\n"})
    torch.save({"weight": torch.zeros(2)}, OUT / "old.bin", _use_new_zipfile_serialization=False)
    small = OUT / "small.bin"
    torch.save({"weight": torch.zeros(2)}, small)
    with zipfile.ZipFile(small) as file:
        members = {name.split("/", 1)[1]: file.read(name) for name in file.namelist()}
    archive(OUT / "compressed.bin", members, zipfile.ZIP_DEFLATED)
    archive(OUT / "big.bin", members | {"byteorder": "big"})
    torch.save([torch.zeros(2)], OUT / "list.bin")


if __name__ == "__main__":
    main()
