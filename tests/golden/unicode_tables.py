"""Writes data/text/unicode_tables.h: the character classes of Hugging Face's BertNormalizer and BertPreTokenizer, found by
asking them about every code point. usage: unicode_tables.py > data/text/unicode_tables.h, then clang-format -i
(needs tokenizers)"""
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def normalizer(**chosen):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return BertNormalizer(**{**off, **chosen}).normalize_str


clean, strip = normalizer(clean_text=True), normalizer(strip_accents=True)
space_out = normalizer(handle_chinese_chars=True)
words = BertPreTokenizer().pre_tokenize_str


def ranges(wanted):
    found = []
    for c in filter(wanted, POINTS):
        if found and found[-1][1] == c - 1: found[-1][1] = c
        else: found.append([c, c])
    return found


def table(name, comment, wanted):
    rows = ", ".join(f"{{0x{a:X}, 0x{b:X}}}" for a, b in ranges(wanted))
    print(f"// {comment}\nconstexpr CodeRange {name}[] = {{{rows}}};\n")


print("""// SPDX-License-Identifier: Apache-2.0
// Written by tests/golden/unicode_tables.py: the character classes of Hugging Face's BERT tokenizer, which follows
// Unicode 8, whatever version the system has. Used by unicode_classes.cpp only.
#pragma once

namespace espalier {

struct CodeRange { char32_t first, last; };
""")
table("kDropped", "What clean_text removes: NUL, U+FFFD, control, format and private-use characters.",
      lambda c: clean(chr(c)) == "")
table("kSpace", "What clean_text turns into a space.", lambda c: clean(chr(c)) == " ")
table("kChinese", "What tokenize_chinese_chars sets apart; U+2B820 to U+2B91F is left out there too.",
      lambda c: space_out(chr(c)) != chr(c))
table("kPunctuation", "Each of these is a word of its own.", lambda c: len(words("a" + chr(c) + "a")) == 3)
table("kNonspacingMark", "What strip_accents removes after decomposition.", lambda c: strip(chr(c)) == "")
print("}  // namespace espalier")
