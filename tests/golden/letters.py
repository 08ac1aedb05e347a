"""Writes data/text/letters.h: what GPT-2's pattern takes for letters and numbers in Hugging Face's tokenizers, found by
asking it about every code point. White space must be that of word_characters.h.
usage: letters.py > data/text/letters.h, then clang-format -i (needs tokenizers)"""
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
WORDS = pre_tokenizers.ByteLevel(add_prefix_space=False)


def sort_of(c):
    """What the character makes one word with."""
    joins = lambda text: len(WORDS.pre_tokenize_str(text)) == 1
    return next((sort for sort, text in {"letter": "a", "number": "1", "other": "!"}.items() if joins(text + chr(c))), "space")


def is_stripped(c):
    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("<e>", normalized=False, lstrip=True)])
    return tokenizer.encode(chr(c) + "<e>").offsets[0][0] == 0


def table(name, comment, wanted):
    found = []
    for c in (c for c in POINTS if SORTS[c] == wanted):
        if found and found[-1][1] == c - 1: found[-1][1] = c
        else: found.append([c, c])
    rows = ", ".join(f"{{0x{a:X}, 0x{b:X}}}" for a, b in found)
    print(f"// {comment}\nconstexpr CodeRange {name}[] = {{{rows}}};\n")


SORTS = {c: sort_of(c) for c in POINTS}
assert all(is_stripped(c) for c in POINTS if SORTS[c] == "space")
print("""// SPDX-License-Identifier: Apache-2.0
// Written by tests/golden/letters.py: letters and numbers as GPT-2's pattern in Hugging Face's tokenizers sees them,
// whatever version of Unicode the system has. Used by unicode_classes.cpp only.
// Longer than a header of ours should be: it is one table.
#pragma once

#include "data/text/unicode_tables.h"

namespace espalier {
""")
table("kLetter", "\\p{L}.", "letter")
table("kNumber", "\\p{N}.", "number")
print("}  // namespace espalier")
