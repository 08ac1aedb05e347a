"""Writes data/text/word_characters.h: what Hugging Face's tokenizers takes for a part of a word and for white space where
it matches added tokens, found by asking it about every code point.
usage: word_characters.py > data/text/word_characters.h, then clang-format -i (needs tokenizers)"""
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordPiece

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def matcher(**flags):
    tokenizer = Tokenizer(WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("<e>", normalized=False, **flags)])
    return lambda text: tokenizer.encode(text).offsets[-1] if tokenizer.encode(text).ids[-1] == 1 else None


word, strip = matcher(single_word=True), matcher(lstrip=True)


def table(name, comment, wanted):
    found = []
    for c in filter(wanted, POINTS):
        if found and found[-1][1] == c - 1: found[-1][1] = c
        else: found.append([c, c])
    rows = ", ".join(f"{{0x{a:X}, 0x{b:X}}}" for a, b in found)
    print(f"// {comment}\nconstexpr CodeRange {name}[] = {{{rows}}};\n")


print("""// SPDX-License-Identifier: Apache-2.0
// Written by tests/golden/word_characters.py: what stands around added tokens, as Hugging Face's tokenizers sees it,
// whatever version of Unicode the system has. Used by unicode_classes.cpp only.
// Longer than a header of ours should be: it is one table.
#pragma once

#include "data/text/unicode_tables.h"

namespace espalier {
""")
table("kWordCharacter", "A token that is a single word has none of these beside it.", lambda c: word(chr(c) + "<e>") is None)
table("kStripped", "What lstrip and rstrip take with the token.", lambda c: strip(chr(c) + "<e>")[0] == 0)
print("}  // namespace espalier")
