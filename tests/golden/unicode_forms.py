"""Writes data/text/unicode_forms.h: decomposition, order of marks and lower case as Hugging Face's tokenizers has them,
found by asking it about every code point. usage: unicode_forms.py > data/text/unicode_forms.h, then clang-format -i
(needs tokenizers and a recent unicodedata2)"""
import unicodedata2 as newest
from tokenizers.normalizers import NFD, Lowercase

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
nfd, lower = NFD().normalize_str, Lowercase().normalize_str
LAST_MARK = "\u0345"  # has the highest combining class: every other combining character moves before it
FIRST_MARK = "\u0334"  # has the lowest: it moves before every other combining character


def is_inert(c):
    """Hugging Face's NFD neither decomposes nor reorders the code point: newer Unicode may."""
    s = chr(c)
    return nfd(LAST_MARK + s) == LAST_MARK + s and nfd(s + FIRST_MARK) == s + FIRST_MARK and nfd(s) == s


def step_of(c):
    """One step of the decomposition: one or two code points, the first of which may be decomposed again."""
    parts = [int(part, 16) for part in newest.decomposition(chr(c)).split()]
    assert len(parts) <= 2 and nfd(chr(c)) == newest.normalize("NFD", chr(c)), hex(c)
    return parts + [0] * (2 - len(parts))


def classes():
    """Ranges of code points with the same combining class."""
    found = []
    for c in POINTS:
        k = newest.combining(chr(c))
        if k == 0 or is_inert(c): continue
        if found and found[-1][1] == c - 1 and found[-1][2] == k: found[-1][1] = c
        else: found.append([c, c, k])
    return found


def lowerings():
    """Ranges first, last, step and how far the lower-case letters lie from the others."""
    found = []
    for c in POINTS:
        small = lower(chr(c))
        if small == chr(c): continue
        offset = ord(small[0]) - c  # U+0130 becomes two: the caller knows
        assert len(small) == 1 or c == 0x130, hex(c)
        last = found[-1] if found else None
        if last and last[3] == offset and last[0] == last[1] and c - last[1] in (1, 2):
            last[1:3] = [c, c - last[1]]
        elif last and last[3] == offset and last[0] != last[1] and c - last[1] == last[2]: last[1] = c
        else: found.append([c, c, 1, offset])
    return found


def table(kind, name, comment, rows):
    text = ", ".join("{" + ", ".join(hex(v).upper().replace("X", "x") if i < 2 or v > 255 else str(v)
                                     for i, v in enumerate(row)) + "}" for row in rows)
    print(f"// {comment}\nconstexpr {kind} {name}[] = {{{text}}};\n")


print("""// SPDX-License-Identifier: Apache-2.0
// Written by tests/golden/unicode_forms.py: how Hugging Face's tokenizers decomposes, orders and lowercases code points,
// whatever version of Unicode the system has. Used by unicode_classes.cpp only.
// Longer than a header of ours should be: these are tables.
#pragma once

namespace espalier {

struct DecompositionStep { char32_t c, first, second; };  // second 0: there is none
struct ClassRange { char32_t first, last; int combining_class; };
struct Lowering { char32_t first, last; int step, offset; };
""")
table("DecompositionStep", "kDecompositions", "One step of the canonical decomposition; Hangul is decomposed by arithmetic.",
      [[c] + step_of(c) for c in POINTS if nfd(chr(c)) != chr(c) and c not in HANGUL])
table("ClassRange", "kCombiningClasses", "All others have class 0.", classes())
table("Lowering", "kLowerings", "Every step-th code point from first to last, and where its lower-case letter lies.", lowerings())
print("}  // namespace espalier")
