"""Token ids of Hugging Face's BertTokenizerFast (transformers 5, tokenizers 0.23) for tricky texts. Writes, beside this
script, tokens_vocab.txt (a small vocabulary made here), tokens.jsonl (texts with their ids) and
tokens_code_points.tsv (what becomes of every single code point). usage: tokens.py"""
import json
import pathlib
import random
import tempfile

from transformers import BertTokenizerFast

HERE = pathlib.Path(__file__).parent
OPTIONS = {  # do_lower_case, strip_accents, tokenize_chinese_chars
    "uncased": (True, None, True),
    "cased": (False, None, True),
    "keep_accents": (True, False, True),
    "strip_only": (False, True, False),
}


def span(first, last): return [chr(c) for c in range(first, last + 1)]


def make_vocabulary():
    letters = span(0x61, 0x7A) + span(0x41, 0x5A) + span(0x30, 0x39)
    foreign = span(0xC0, 0xD6) + span(0xD8, 0x17F) + span(0x391, 0x3C9) + span(0x401, 0x45F)
    foreign += span(0x5D0, 0x5EA) + span(0x627, 0x64A)
    jamo = span(0x1100, 0x1112) + span(0x1161, 0x1175) + span(0x11A8, 0x11C2)
    rest = span(0x3041, 0x3096) + span(0x4E00, 0x4E0F)
    rest += list("中文字符是我你好北京東日本語한국어ﬁﬂßſKÅΩ²½①ⅷＡａ😀🙂👍❤☺★→∞≠℃№ᛋ")
    marks = list("\u0301\u0307\u0308\u0327\u0345\u05B0\u1B44\u302E\u302F\U0001D165\U000E01F0")
    words = """the a an of and to in is it that this was for with on as at by not but are be have film movie story
        good bad great love hate un believ charm affect journey token piece word run jump play quick brown fox lazy dog
        cafe café naive naïve resume résumé uber über fiance Paris Berlin Tokyo The A I istanbul ISTANBUL angstrom
        hello world don won isn can do""".split()
    ends = """s es ed er est ing ly ness less ful able ation tion ment ity ive al ous ic ish ize en ingly ably
        t re ve ll m d é ée ß""".split()
    pieces = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += span(0x21, 0x7E) + list("¡¿«»§¶·–—‘’“”„…†‡•‰‹›€£¥©®™、。「」，！？")
    pieces += letters + foreign + jamo + rest + marks + words
    pieces += ["##" + p for p in letters + foreign + jamo + rest + marks + ends]
    return list(dict.fromkeys(pieces))


TEXTS = [
    "", " ", "\t\r\n", "\0", "\ufffd", "\x01\x7f\x85\u200b\ufeff", "hello world", "  Hello,   WORLD!  ",
    "don't can't isn't won't I'll we've", "unbelievable charming journeys", "quickly-running foxes...",
    "C++ is #1 @ 100% <b>&amp;</b> {x|y} ~`^_", "a,b;c:d.e!f?g(h)i[j]k{l}m'n\"o", "café CAFÉ cafe\u0301 CAFE\u0301",
    "naïve RÉSUMÉ Ünïcödé über ÜBER", "e\u0301\u0327 e\u0327\u0301 \u0301e \u0301", "o\u0308\u0304 ǖ ṩ s\u0323\u0307",
    "İstanbul ISTANBUL ıstanbul I\u0307", "ΑΣ ΟΔΥΣΣΕΥΣ σς Σ", "Straße STRASSE ẞ ß ﬁ ﬂ ﬃ",
    "K Å Ω K Å Ω \u212A \u212B \u2126", "ǅ Ǆ ǆ ǈ ǋ ǲ", "ПРИВЕТ мир Ёлка й и\u0306", "שָׁלוֹם עולם", "مَرْحَبًا العالم",
    "हिन्दी भाषा", "ภาษาไทย สวัสดี", "한국어 안녕하세요 각 \u1100\u1161\u11A8", "日本語 が か\u3099 パ", "中文字符", "我是a中b国", "北京is good",
    "\uf900\uf901 \U0002F800", "\u3400\u4dbf\u4e00\u9fff\ua000", "\U00020000\U0002A6DF\U0002A6E0\U0002A700",
    "\U0002B81F\U0002B820\U0002B91F\U0002B920\U0002CEAF\U0002CEB0", "\U00030000\U0002FA1F\U0002FA20", "。、「」，！？…—",
    "¡Hola! ¿Qué tal? «sí»", "“quoted” ‘text’ „x“ ‹y›", "1,234.56 €5 £6 ¥7 $8", "½ ² ① ⅷ № ℃ ™ ©",
    "😀🙂 👍🏽 👨‍👩‍👧 🇩🇪 ❤️ ☺", "a😀b", "→∞≠±×÷", "Ａａ１！", "a\u00a0b\u1680c\u2003d\u2028e\u2029f\u202fg\u205fh\u3000i",
    "a\u000bb\u000cc\u001cd\u0085e", "soft\u00adhyphen zero\u200bwidth\u200djoin\u2060er\ufeff",
    "a\u180eb \u061cx \u0600y \u06ddz \u070fw", "\u0890\u08e2\U000110bd\U000110cd\U00013430",
    "\ue000a \U000f0000b \U0010fffdc \ufffe \uffff \U0010ffff", "\u0378 \u0557 \U000e0001 \U000e0041 \U000e0100",
    "a\u0000b\ufffdc", "[CLS]", "[SEP] [MASK] [PAD] [UNK]", "x[MASK]y", "[MASK][MASK]", "[mask] [Mask] [ MASK ]",
    "[[MASK]]", "[MASK", "MASK]", "[SEP[SEP]", "[CLS\u200b]", "[unused0]", "[un", "hello[SEP]world", "e[MASK]\u0301",
    "É[SEP]é", "##ing", "a##b", "# # ##", "_under_score_", "x" * 99, "x" * 100, "x" * 101, "é" * 100, "é" * 101,
    "e\u0301" * 100, "e\u0301" * 101, "İ" * 50, "İ" * 51, "한" * 33, "한" * 34, "中" * 101, "😀" * 100, "😀" * 101,
    "x" * 100 + "." + "y" * 101, "x" * 1000 + " hello", "-" * 120, "a" * 60 + "\u200b" * 60 + "b" * 40,
    "\u0334\u0327\u0301a\u0301\u0327\u0334", "a\u302e\u1b44\u302fb", "a\u1b44\u0301\u302e\u0316b",
    "a\U0001D165\U0001D16D\u1b44", "a\u302e\u1dfa\u1b44", "a\u302e\U00016ff0\u1b44", "a\u302e\u200b\u1b44",
    "a\u302e \u1b44", "a\u302e中\u1b44", "\u0344 \u0340 \u0341 \u0343 \u0374 \u037e \u0387 \u1fef \u2000 \u2329",
    "\U00011938 \U000105c9 \U00011383 \U00016121 \U00016d68", "\u0958 \u09dc \u0f43 \u0f73 \u0f81 \ufb1d \ufb4e",
    "\u1c89 \ua7cb \ua7cc \ua7da \ua7dc \U00010d50 \U00010d65 \U00016ea0 \U00016eb8",
    "\u166d\U000111c9\u2e43\U00016fe2", "\u1885\u1886\u09fe\u1abf\u1734",
    "The QUICK brown fox's résumé was not un-believ-able", "it 's a charming and often affecting journey . ", "un" * 40,
    "http://example.org/a?b=c&d=e#f", "user@example.org", "3.14e-10", "\\n\\t", "\"'", "a\nb\r\nc\td",
]


def random_text(r):
    blocks = [(0x20, 0x7F)] * 6
    blocks += [(0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE00), (0x1100, 0x1200)]
    blocks += [(0x1E00, 0x2070), (0x3000, 0x3100), (0x4E00, 0x4E10), (0xAC00, 0xD7A4), (0xF900, 0xFFFE)]
    blocks += [(0x1D100, 0x1D200), (0x1F300, 0x1F700)]

    def pick():
        if r.random() < 0.5: return chr(r.randrange(*r.choice(blocks)))
        return r.choice(VOCABULARY[3:]).removeprefix("##") + r.choice(["", " "])

    return "".join(pick() for _ in range(r.randrange(1, 20)))


def write_vocabulary(path):
    path.write_text("".join(t + "\n" for t in VOCABULARY), encoding="utf8", newline="\n")


def make_tokenizer(options):
    lower, strip, chinese = options
    config = dict(do_lower_case=lower, strip_accents=strip, tokenize_chinese_chars=chinese)
    with tempfile.TemporaryDirectory() as folder:  # transformers 5 ignores the constructor's vocab_file
        write_vocabulary(pathlib.Path(folder) / "vocab.txt")
        (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
        return BertTokenizerFast.from_pretrained(folder)


def cases():
    r = random.Random(0)
    for text in TEXTS + [random_text(r) for _ in range(120)]:
        yield text, None, 512
    for max_length in 2, 3, 4, 7, 100:
        yield "hello charming world, unbelievable!", None, max_length
    long, short, longer = "a " * 9, "b " * 4, "c " * 12
    for max_length in 3, 4, 5, 8, 11, 12, 15, 16, 17, 20, 512:
        for first in "", short, long, longer:
            for second in "", short, long, longer:
                yield first, second, max_length
    yield "It's a [SEP] café.", "中文 isn't [MASK] good", 512


def encode(tokenizer, first, second, max_length):
    # As a batch: a single call drops an empty second text.
    texts = ([first],) if second is None else ([first], [second])
    found = tokenizer(*texts, truncation="longest_first", max_length=max_length)
    return {"ids": found["input_ids"][0], "segments": found["token_type_ids"][0]}


def hash_words(tokenizer, code_points):
    """FNV-1a over the words, each ended by a line feed, of a text around each code point."""
    backend, value = tokenizer.backend_tokenizer, 0xCBF29CE484222325
    for c in code_points:
        text = f"A{chr(c)}\u302e\u1b44{chr(c)}b"
        words = backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))
        for byte in "".join(w + "\n" for w, _ in words).encode(): value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


VOCABULARY = make_vocabulary()
TOKENIZERS = {name: make_tokenizer(options) for name, options in OPTIONS.items()}
write_vocabulary(HERE / "tokens_vocab.txt")
with open(HERE / "tokens.jsonl", "w") as out:
    for name, tokenizer in TOKENIZERS.items():
        for first, second, max_length in cases():
            if name != "uncased" and (second is not None or max_length != 512): continue
            row = dict(options=name, first=first, second=second, max_length=max_length)
            row |= encode(tokenizer, first, second, max_length)
            print(json.dumps(row, separators=(",", ":")), file=out)
with open(HERE / "tokens_code_points.tsv", "w") as out:
    print("first", "last", *OPTIONS, sep="\t", file=out)
    for first in [*range(0, 0x34000, 0x1000), 0xE0000, 0xF0000, 0x10F000]:
        if first == 0xD000: continue  # holds surrogates
        last = first + 0xFFF
        hashes = [hash_words(tokenizer, range(first, last + 1)) for tokenizer in TOKENIZERS.values()]
        print(f"{first:x}", f"{last:x}", *hashes, sep="\t", file=out)
