# SPDX-License-Identifier: Apache-2.0
"""Golden values of the ops (tests/core/ops/op_test.cpp): outputs and gradients in double precision by PyTorch, for the rows of tests/core/ops/op_cases.h
of the same names. Usage: python ops.py > ops.txt"""
import numpy as np
import torch
import torch.nn.functional as F

from golden import dropout_mask, record, uniform

torch.set_default_dtype(torch.float64)


def dropout(x, p, seed, stream):
    rows, cols = int(np.prod(x.shape[:-1])), x.shape[-1]
    return x * torch.from_numpy(dropout_mask(p, seed, stream, rows, cols)).reshape(x.shape)


def add_norm(p, seed, stream, eps=1e-12):
    def op(x, residual, gamma, beta):
        z = residual + (dropout(x, p, seed, stream) if p else x)
        return F.layer_norm(z, z.shape[-1:], gamma, beta, float(np.float32(eps)))
    return op


def embedding_from(first, ids, offsets, eps=1e-12):  # as RobertaEmbeddings, without segments: the token first - 1 is padding
    places = []
    for start, end in zip(offsets, offsets[1:]):
        counts = torch.tensor([i != first - 1 for i in ids[start:end]], dtype=torch.long)
        places += (torch.cumsum(counts, 0) * counts + first - 1).tolist()

    def op(word, position, gamma, beta):
        z = word[ids] + position[places]
        return F.layer_norm(z, z.shape[-1:], gamma, beta, float(np.float32(eps)))
    return op


def embedding(ids, segments, offsets, eps=1e-12):
    places = [i - start for start, end in zip(offsets, offsets[1:]) for i in range(start, end)]

    def op(word, position, segment, gamma, beta):
        z = word[ids] + position[places] + segment[segments]
        return F.layer_norm(z, z.shape[-1:], gamma, beta, float(np.float32(eps)))
    return op


def attention(heads, lengths, p=0.0, seed=0, stream=0):
    longest = max(lengths)

    def op(qkv):
        tokens, size = qkv.shape[0], qkv.shape[1] // 3 // heads
        row = (longest + 15) // 16 * 16  # elements a row: short rows share a block of random numbers
        keep = dropout_mask(p, seed, stream, 1, heads * tokens * row).reshape(heads, tokens, row)[:, :, :longest]
        keep = np.ascontiguousarray(keep.transpose(1, 0, 2))
        out, first = [], 0
        for length in lengths:
            q, k, v = qkv[first:first + length].reshape(length, 3, heads, size).permute(1, 2, 0, 3)
            weights = torch.softmax(q @ k.transpose(1, 2) / size**0.5, -1)
            weights = weights * torch.from_numpy(keep[first:first + length, :, :length]).permute(1, 0, 2)
            out.append((weights @ v).permute(1, 0, 2).reshape(length, heads * size))
            first += length
        return torch.cat(out)
    return op


def attention_case(size, heads, lengths, **dropout_options):
    return [(sum(lengths), 3 * heads * size)], attention(heads, lengths, **dropout_options)


def target(name, *shape):
    return torch.from_numpy(uniform(name, 50, shape))


def word_labels(rows):
    return torch.tensor([-1 if r % 5 == 2 else r * r % 7 for r in range(rows)])


def vocabulary(rows):
    return lambda x, table, bias: (F.cross_entropy(x @ table.T + bias, word_labels(rows), ignore_index=-1, reduction="sum") / rows).reshape(1)


def soft_vocabulary(name, rows):
    x0, table0, bias0 = (torch.from_numpy(uniform(name, 50 + i, shape)) for i, shape in enumerate([(rows, 4), (7, 4), (7,)]))

    def op(x, table, bias):
        z, t = (x @ table.T + bias) / 2.5, (x0 @ table0.T + bias0) / 2.5
        return (2.5**2 * F.kl_div(F.log_softmax(z, -1), F.softmax(t, -1), reduction="batchmean")).reshape(1)
    return op


def hits(rows, cols, ones):
    y = torch.zeros(rows * cols, dtype=torch.float64)
    y[ones] = 1
    return y.reshape(rows, cols)


def bernoulli_divergence(z, t):
    from torch.distributions import Bernoulli, kl_divergence
    return kl_divergence(Bernoulli(probs=t), Bernoulli(logits=z))


WEIGHTS = torch.tensor([0.5, 3, 1.25])


def class_loss(weights=None, smoothing=0.0):
    return lambda x: (F.cross_entropy(x, torch.tensor([0, 2, -1, 1, 0]), weights, ignore_index=-1, label_smoothing=smoothing, reduction="sum") / 2.5).reshape(1)


def focal_class_loss(weights, smoothing, gamma):  # Lin et al. 2017, formula 5, of each class by its share of the target
    def op(x):
        rows, labels = [0, 1, 3, 4], torch.tensor([0, 2, 1, 0])
        p = torch.softmax(x[rows], -1)
        share = F.one_hot(labels, 3) * (1 - smoothing) + smoothing / 3
        return ((share * weights * (1 - p) ** gamma * -torch.log(p)).sum() / 2.5).reshape(1)
    return op


def yes_or_no(weights, smoothing=0.0, gamma=0.0):
    def op(x):
        t, p = hits(5, 3, [0, 2, 7, 10, 14]) * (1 - smoothing) + smoothing / 2, torch.sigmoid(x)
        if gamma == 0:
            return F.binary_cross_entropy_with_logits(x, t, pos_weight=weights).reshape(1)
        return (weights * t * (1 - p) ** gamma * -torch.log(p) + (1 - t) * p ** gamma * -torch.log(1 - p)).mean().reshape(1)
    return op


def relation(name, left, right, heads, probabilities):
    goal = target(name, 19, 72)

    def scores(qkv, first, length):
        size = qkv.shape[1] // 3 // heads
        parts = qkv[first:first + length].reshape(length, 3, heads, size).permute(1, 2, 0, 3)
        return parts[left] @ parts[right].transpose(1, 2) / size**0.5

    def op(qkv):
        total, first = 0, 0
        for length in [1, 13, 5]:
            s, r = scores(qkv, first, length), scores(goal, first, length)
            total += (F.kl_div(F.log_softmax(s, -1), F.softmax(r, -1), reduction="sum") / (heads * length) if probabilities else F.mse_loss(s, r))
            first += length
        return (total / 4).reshape(1)
    return [(19, 36)], op


IDS, SEGMENTS = [3, 0, 5, 3, 3, 1, 5, 0], [0, 0, 1, 0, 0, 0, 1, 1]
OFFSETS = [0, 3, 3, 8]
CASES = {
    "linear": ([(5, 4), (3, 4), (3,)], F.linear),
    "linear_3_parts": ([(7, 6), (5, 6), (5,), (5, 6), (5,), (1, 6), (1,)],
                       lambda x, *wb: torch.cat([F.linear(x, w, b) for w, b in zip(wb[::2], wb[1::2])], 1)),
    "linear_tiles": ([(800, 33), (300, 33), (300,)], F.linear),
    "gelu": ([(6, 11)], F.gelu),
    "gelu_pieces": ([(130, 140)], F.gelu),
    "relu": ([(6, 11)], F.relu),
    "gelu_new": ([(6, 11)], lambda x: F.gelu(x, approximate="tanh")),
    "silu": ([(6, 11)], F.silu),
    "tanh": ([(6, 11)], torch.tanh),
    "dropout": ([(9, 70)], lambda x: dropout(x, 0.3, 7, 5)),
    "dropout_pieces": ([(300, 100)], lambda x: dropout(x, 0.1, 2**40 + 3, 2**33 + 1)),
    "add_norm": ([(6, 21), (6, 21), (21,), (21,)], add_norm(0, 0, 0)),
    "add_norm_dropout": ([(40, 130), (40, 130), (130,), (130,)], add_norm(0.2, 11, 12)),
    "add_norm_eps": ([(3, 8), (3, 8), (8,), (8,)], add_norm(0, 0, 0, eps=0.5)),
    "embedding": ([(6, 70), (5, 70), (2, 70), (70,), (70,)], embedding(IDS, SEGMENTS, OFFSETS)),
    "embedding_from_position_2": ([(6, 70), (7, 70), (70,), (70,)], embedding_from(2, IDS, OFFSETS)),
    "attention_1_13_size_20": attention_case(20, 3, [1, 13]),
    "attention_0_64_65_size_32": attention_case(32, 2, [0, 64, 65]),
    "attention_130_size_64": attention_case(64, 1, [130]),
    "attention_dropout_1_13_size_20": attention_case(20, 3, [1, 13], p=0.3, seed=1, stream=2),
    "attention_dropout_64_65_size_32": attention_case(32, 2, [64, 65], p=0.1, seed=3, stream=4),
    "attention_dropout_130_size_64": attention_case(64, 1, [130], p=0.1, seed=5, stream=6),
    "checkpoint": ([(6, 11)], lambda x: F.gelu(torch.tanh(x))),
    "gather_rows": ([(6, 5)], lambda x: x[[4, 0, 3]]),
    "cross_entropy": ([(5, 3)], lambda x: (F.cross_entropy(x, torch.tensor([0, 2, 2, 1, 0]), reduction="sum") / 8).reshape(1)),
    "cross_entropy_unlabelled": ([(5, 3)], lambda x: F.cross_entropy(x, torch.tensor([0, -1, 2, -1, 0]), ignore_index=-1).reshape(1)),
    "soft_cross_entropy": ([(5, 3)], lambda x: (2.5**2 * 5 / 8 * F.kl_div(F.log_softmax(x / 2.5, -1), F.softmax(target("soft_cross_entropy", 5, 3) / 2.5, -1),
                                                                          reduction="batchmean")).reshape(1)),
    "vocabulary_cross_entropy": ([(9, 6), (7, 6), (7,)], vocabulary(9)),
    "vocabulary_cross_entropy_chunks": ([(300, 6), (7, 6), (7,)], vocabulary(300)),
    "vocabulary_soft_cross_entropy": ([(9, 6), (7, 6), (7,)], soft_vocabulary("vocabulary_soft_cross_entropy", 9)),
    "vocabulary_soft_cross_entropy_chunks": ([(300, 6), (7, 6), (7,)], soft_vocabulary("vocabulary_soft_cross_entropy_chunks", 300)),
    "binary_cross_entropy": ([(5, 3)], lambda x: F.binary_cross_entropy_with_logits(x, hits(5, 3, [0, 2, 7, 10, 14])).reshape(1)),
    "binary_cross_entropy_soft": ([(5, 3)], lambda x: bernoulli_divergence(x / 2.5, (target("binary_cross_entropy_soft", 5, 3) + 2) / 4).sum().reshape(1) * 2.5**2 / 8),
    "weighted_cross_entropy": ([(5, 3)], class_loss(WEIGHTS)),
    "weighted_cross_entropy_zero": ([(5, 3)], class_loss(torch.tensor([0, 3, 1.25]))),
    "weighted_cross_entropy_smoothed": ([(5, 3)], class_loss(WEIGHTS, 0.1)),
    "weighted_cross_entropy_focal": ([(5, 3)], focal_class_loss(WEIGHTS, 0, 2)),
    "weighted_cross_entropy_focal_smoothed": ([(5, 3)], focal_class_loss(torch.ones(3), 0.2, 0.5)),
    "weighted_binary_cross_entropy": ([(5, 3)], yes_or_no(WEIGHTS)),
    "weighted_binary_cross_entropy_smoothed": ([(5, 3)], yes_or_no(WEIGHTS, smoothing=0.1)),
    "weighted_binary_cross_entropy_focal": ([(5, 3)], yes_or_no(WEIGHTS, gamma=2.0)),
    "mse": ([(6, 11)], lambda x: F.mse_loss(x, target("mse", 6, 11)).reshape(1)),
    "mse_pieces": ([(260, 130)], lambda x: F.mse_loss(x, target("mse_pieces", 260, 130)).reshape(1)),
    "cosine_distance": ([(200, 130)], lambda x: F.cosine_embedding_loss(x, target("cosine_distance", 200, 130), torch.ones(200)).reshape(1)),
    "relation_attention_scores": relation("relation_attention_scores", 0, 1, 3, False),
    "relation_attention_probabilities": relation("relation_attention_probabilities", 0, 1, 3, True),
    "relation_values": relation("relation_values", 2, 2, 6, True),
    "sum": ([(1,), (1,), (1,)], lambda *terms: sum(terms)),
    "sum_weighted": ([(1,), (1,)], lambda x, y: 0.9 * x - 2.5 * y),
}

print("# PyTorch", torch.__version__, "in double precision; made by ops.py")
for name, (shapes, op) in CASES.items():
    inputs = [torch.from_numpy(uniform(name, i, shape)).requires_grad_() for i, shape in enumerate(shapes)]
    y = op(*inputs)
    y.backward(torch.from_numpy(uniform(name, 100, tuple(y.shape))))
    print(record(name + "/output", y.detach()))
    for i, x in enumerate(inputs):
        print(record(f"{name}/gradient{i}", x.grad))
