# SPDX-License-Identifier: Apache-2.0
"""Writes hdf5_odd.h5: HDF5 that Espalier must refuse to read, beside one plain dataset; for tests/core/hdf5/.

    python tests/golden/hdf5_odd.py
"""
import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent

with h5py.File(HERE / "hdf5_odd.h5", "w", libver=("v108", "v108")) as f:
    f["plain"] = np.arange(6, dtype="<f4").reshape(2, 3)
    f.create_dataset("claims_4_terabytes", (2**40,), "<f4")  # allocated late: no byte of it is in the file
    f.create_dataset("overflows", (2**32, 2**31, 4), "<f4")
    f.create_dataset("chunked", data=np.zeros(100, "<f4"), chunks=(10,), compression="gzip")
    f.create_dataset("five", data=np.zeros((1, 1, 1, 1, 1), "<f4"))
    f.create_dataset("big_endian", data=np.zeros(2, ">f4"))
    f.create_dataset("half", data=np.zeros(2, "<f2"))
    f.create_dataset("plain_u16", data=np.zeros(2, "<u2"))
    f["plain_u16"].attrs["type"] = np.bytes_("u16")
    f.create_dataset("never_written", (3,), "<f4")
    f.create_dataset("null", data=h5py.Empty("<f4"))
    f.create_dataset("texts", data=["a", "", "größer"])
    f["text"] = "of variable length"
    f["latin"] = np.bytes_(b"fixed\xff")
    bomb = f.create_dataset("bomb", data=["a" * 3000] + ["b"] * 99)  # all made the first one below
    bomb_at = bomb.id.get_offset()
    f.create_dataset("external", (4,), "<f4", external=[("types.safetensors", 0, 16)])
    f["soft"] = h5py.SoftLink("/plain")
    f["elsewhere"] = h5py.ExternalLink("hdf5_odd.h5", "/plain")
    f["plain"].attrs["variable"] = "a text of variable length"
    f["plain"].attrs["number"] = 3
    f["plain"].attrs["fixed"] = np.bytes_("fixed")
    f.create_group("group")

with open(HERE / "hdf5_odd.h5", "r+b") as raw:
    raw.seek(bomb_at)
    first = raw.read(16)
    raw.seek(bomb_at)
    raw.write(100 * first)
