# SPDX-License-Identifier: Apache-2.0
"""What the scripts that compute golden values share with tests/golden/golden.h: random inputs that both sides make for themselves, and a compact
record of a tensor."""
import numpy as np

MASK = np.uint64(0xFFFFFFFF)


def philox(counter, stream, seed):
    """Philox4x32-10 of an array of 64-bit counters: [n, 4] words (Salmon et al., SC 2011)."""
    low, high = (lambda v: np.uint64(v) & MASK), (lambda v: np.uint64(v) >> np.uint64(32))
    counter = np.asarray(counter, np.uint64)
    c = [counter & MASK, counter >> np.uint64(32), np.full_like(counter, low(stream)), np.full_like(counter, high(stream))]
    key = [low(seed), high(seed)]
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ key[0], p1 & MASK, (p0 >> np.uint64(32)) ^ c[3] ^ key[1], p0 & MASK]
        key = [(key[0] + np.uint64(0x9E3779B9)) & MASK, (key[1] + np.uint64(0xBB67AE85)) & MASK]
    return np.stack(c, 1)


def seed_of(name):
    """FNV-1a, 64 bits."""
    value = 14695981039346656037
    for byte in name.encode():
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


def uniform(name, stream, shape, size=2.0):
    """Numbers in (-size, size) that depend on the name and the stream only."""
    count = int(np.prod(shape))
    words = philox(np.arange((count + 3) // 4), stream, seed_of(name)).reshape(-1)[:count]
    return ((words.astype(np.float64) + 0.5) * 2.0**-32 * 2 - 1).reshape(shape) * size


def dropout_mask(probability, seed, stream, rows, cols):
    """Multipliers of core/rng.h's Dropout: word w of counter 16 * block + j belongs to element 16 * w + j of a block of 64."""
    p = np.float32(probability)
    blocks = (cols + 63) // 64
    words = philox(np.arange(rows * blocks * 16), stream, seed).reshape(rows, blocks, 16, 4)
    words = words.transpose(0, 1, 3, 2).reshape(rows, blocks * 64)[:, :cols]
    threshold = np.uint64(np.round(np.float64(p) * 2**32))
    return np.where(words >= threshold, np.float64(np.float32(1) / (np.float32(1) - p)), 0.0)


def record(key, tensor):
    """One line: the key, up to eight elements spread evenly, and the products with two random tensors."""
    flat = np.asarray(tensor, np.float64).reshape(-1)
    some = flat[np.arange(min(8, flat.size)) * flat.size // min(8, flat.size)]
    products = [flat @ uniform("probe", k, flat.size, 1.0) for k in range(2)]
    return " ".join([key] + [repr(float(v)) for v in [*some, *products]])
