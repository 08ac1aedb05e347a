"""Byte-level BPE: a small vocabulary trained here with Hugging Face's tokenizers, and the token ids of AutoTokenizer
(transformers 5, tokenizers 0.23) for tricky texts. Writes, beside this script, byte_level/ (the vocabulary's files),
byte_level.jsonl (directories' files, texts and ids) and byte_level_code_points.tsv (what becomes of every code point).
usage: byte_level.py"""
import json
import pathlib
import random
import sys
import tempfile

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SIZE = 900
CONFIG = {"config.json": json.dumps({"model_type": "roberta"})}


def load_texts():
    """The texts of tokens.py, which writes files when it is imported."""
    source = (HERE / "tokens.py").read_text().split("\ndef write_vocabulary")[0]
    scope = {"__name__": "tokens", "__file__": str(HERE / "tokens.py")}
    exec(compile(source, "tokens.py", "exec"), scope)
    scope["VOCABULARY"] = scope["make_vocabulary"]()
    return scope["TEXTS"], scope["random_text"]


TEXTS, random_text = load_texts()
TEXTS += ["I'll we've they're he's can't I'd I'm", "'s't're've'm'll'd", "it''s !'s 'S 'Ll x'", "a  b   c \n d\n\ne \t", " leading", "  two",
          "trailing ", "trailing  ", "\n", " \n ", "\u00a0a\u00a0\u00a0b", "a\u3000b \u3000c", "1st 2nd 123abc456", "½²①ⅷ 12½ x²",
          "<s> a</s> <mask>b  <mask> <pad><unk>", "<mask>", "  <mask>  ", "x<mask><mask>y", "<MASK> < mask>", "a" * 300, " " * 300,
          "the " * 100, "ab" * 200, "💩" * 40, "# ## ### #version", "Ġ Ā Ł ł ń", "\ufffd", "Ġthe Ċ", "\u0300\u0301 a\u0300", "e\u0301 É"]


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    corpus = TEXTS + ["the film is a charming and often affecting journey", "unbelievable charming journeys don't", "## # ###"] * 20
    r = random.Random(1)
    corpus += [random_text(r) for _ in range(400)]
    trainer = trainers.BpeTrainer(vocab_size=SIZE, min_frequency=2, show_progress=False, special_tokens=SPECIAL,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator([t for t in corpus if "<" not in t], trainer)
    return json.loads(tokenizer.to_str())["model"]


MODEL = train()
VOCAB_JSON = json.dumps(MODEL["vocab"], ensure_ascii=False)
MERGES = [m if isinstance(m, str) else " ".join(m) for m in MODEL["merges"]]
MERGES_TXT = "#version: 0.2\n" + "\n".join(MERGES) + "\n"
PLAIN = {"vocab.json": VOCAB_JSON, "merges.txt": MERGES_TXT}


def open_tokenizer(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (CONFIG | files).items(): (pathlib.Path(folder) / name).write_text(text, encoding="utf8")
        return AutoTokenizer.from_pretrained(folder)


def token(content, **flags):
    return dict(content=content, lstrip=False, rstrip=False, single_word=False, normalized=False, special=False) | flags


def config(**fields): return {"tokenizer_config.json": json.dumps(fields)}


def cases():
    """name, files beside config.json, which replace vocab.json and merges.txt where there is a tokenizer.json"""
    yield "vocab.json and merges.txt", PLAIN
    yield "add_prefix_space", PLAIN | config(add_prefix_space=True, tokenizer_class="RobertaTokenizer")
    mask = token("<mask>", lstrip=True, special=True) | {"__type": "AddedToken"}
    yield "mask takes the space before it", PLAIN | config(mask_token=mask, tokenizer_class="RobertaTokenizerFast", trim_offsets=False)
    whole = json.loads(open_tokenizer(PLAIN).backend_tokenizer.to_str())
    yield "tokenizer.json", {"tokenizer.json": json.dumps(whole)}
    yield "generic class", {"tokenizer.json": json.dumps(whole)} | config(tokenizer_class="PreTrainedTokenizerFast")
    spaced = json.loads(json.dumps(whole))
    spaced["pre_tokenizer"]["add_prefix_space"] = True
    spaced["model"]["merges"] = MERGES
    yield "generic class, prefix space, older merges", {"tokenizer.json": json.dumps(spaced)} | config(tokenizer_class="TokenizersBackend")
    yield "tokenizer.json's prefix space is not used", {"tokenizer.json": json.dumps(spaced)} | config(tokenizer_class="RobertaTokenizer")
    template = json.loads(json.dumps(whole))
    template["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}},
                 {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "special_tokens": {t: {"id": t, "ids": [MODEL["vocab"][t]], "tokens": [t]} for t in ("<s>", "</s>")}}
    yield "template", {"tokenizer.json": json.dumps(template)} | config(tokenizer_class="PreTrainedTokenizerFast")
    n = len(MODEL["vocab"])
    for i, flags in enumerate(({"normalized": True}, {"lstrip": True}, {"rstrip": True}, {"single_word": True}, {"special": True})):
        added = {str(n + j): token(t, **flags) for j, t in enumerate(["[E1]", "charming", " the"])}
        yield f"added tokens {flags}", PLAIN | config(added_tokens_decoder=added, add_prefix_space=i % 2 == 0)
    yield "other names", PLAIN | config(cls_token="the", sep_token="a", add_prefix_space=True)


def encode(tokenizer, first, second, max_length):
    texts = ([first],) if second is None else ([first], [second])
    return tokenizer(*texts, truncation="longest_first", max_length=max_length)["input_ids"][0]


def rows(name):
    r = random.Random(name)
    whole = name == "vocab.json and merges.txt"
    for text in TEXTS + [random_text(r) for _ in range(1500 if whole else 60)]: yield text, None, 512
    extra = ["[E1]", "charming", " the", "<mask>", " ", "  ", "</s>", "x", "charmingly", "\u00a0", "The", "1", "\n"]
    for _ in range(40): yield "".join(r.choice(extra) for _ in range(r.randrange(1, 8))), None, 512
    for max_length in 2, 3, 4, 7, 100: yield "hello charming world, unbelievable!", None, max_length
    for max_length in 4, 5, 6, 9, 12, 13, 17, 512:
        for first in "", "a " * 4, "a " * 9, "a " * 12:
            for second in "", "b " * 4, "b " * 9: yield first, second, max_length


def hash_words(words, code_points):
    """FNV-1a over the words, each ended by a line feed, of a text around each code point."""
    value = 0xCBF29CE484222325
    for c in code_points:
        text = f"a{chr(c)}1{chr(c)}!{chr(c)} {chr(c)}  {chr(c)}{chr(c)}b"
        for _, (begin, end) in words.pre_tokenize_str(text):
            for byte in (text[begin:end] + "\n").encode(): value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


folder = HERE / "byte_level"
folder.mkdir(exist_ok=True)
for name, text in PLAIN.items(): (folder / name).write_text(text + ("\n" if name == "vocab.json" else ""), encoding="utf8", newline="\n")
with open(HERE / "byte_level.jsonl", "w") as out:
    for name, files in cases():
        tokenizer = open_tokenizer(files)
        answers = [[first, second, max_length, encode(tokenizer, first, second, max_length)] for first, second, max_length in rows(name)]
        files = {k: v for k, v in files.items() if PLAIN.get(k) != v}
        print(json.dumps({"name": name, "files": files, "answers": answers}, separators=(",", ":")), file=out)
words = pre_tokenizers.ByteLevel(add_prefix_space=False)
with open(HERE / "byte_level_code_points.tsv", "w") as out:
    print("first", "last", "words", sep="\t", file=out)
    for first in [*range(0, 0x34000, 0x1000), 0xE0000, 0xF0000, 0x10F000]:
        if first == 0xD000: continue  # holds surrogates
        print(f"{first:x}", f"{first + 0xFFF:x}", hash_words(words, range(first, first + 0x1000)), sep="\t", file=out)
print(len(MODEL["vocab"]), "tokens,", len(MERGES), "merges", file=sys.stderr)
