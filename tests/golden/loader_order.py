# The order in which the loader shuffles, worked out a second time: SplitMix64, unbiased range reduction, Fisher-Yates (data/text/splitmix.h).
# `python3 loader_order.py > loader_order.txt` writes lines "seed epoch: row row …", read by tests/data/text/loader_test.cpp.
MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def order(seed, epoch, count):
    counter = mix(mix(seed + GAMMA & MASK) + epoch & MASK)
    rows = list(range(count))
    for last in range(count - 1, 0, -1):
        while True:
            counter = counter + GAMMA & MASK
            value = mix(counter)
            if value >= 2**64 % (last + 1):
                break
        other = value % (last + 1)
        rows[last], rows[other] = rows[other], rows[last]
    return rows


for seed, epoch in [(0, 0), (0, 1), (1, 0), (42, 7), (2**64 - 1, 2)]:
    print(f"{seed} {epoch}:", *order(seed, epoch, 23))
