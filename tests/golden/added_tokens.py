"""Token ids of Hugging Face's AutoTokenizer (transformers 5, tokenizers 0.23) for directories whose files name added
tokens and settings. Writes added_tokens.jsonl beside this script: the files of a directory, texts and their ids.
No two tokens may be the same text once normalized: tokenizers then takes either, by chance. usage: added_tokens.py"""
import json
import pathlib
import random
import tempfile

from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("abcdefgosxyzABEÉé中国.,[]<>-_1")
VOCABULARY += ["##" + c for c in "abcdefgosxyz"] + ["good", "food", "ab", "##ab", "bad"]
NEXT = len(VOCABULARY)
FLAGS = ["lstrip", "rstrip", "single_word", "normalized", "special"]


def token(content, **flags): return dict.fromkeys(FLAGS, False) | {"content": content} | flags


def write(folder, files):
    for name, content in ({"config.json": {"model_type": "bert"}} | files).items():
        text = content if isinstance(content, str) else json.dumps(content)
        (pathlib.Path(folder) / name).write_text(text, encoding="utf8", newline="")


def make_tokenizer_json():
    with tempfile.TemporaryDirectory() as folder:
        write(folder, {"vocab.txt": PLAIN})
        return json.loads(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())


def tokenizer_json(added=(), lowercase=True):
    """As transformers writes it."""
    whole = json.loads(json.dumps(WHOLE))
    whole["normalizer"]["lowercase"] = lowercase
    whole["added_tokens"] += added
    return whole


def decoder(*tokens, first=NEXT): return {"added_tokens_decoder": {str(first + i): t for i, t in enumerate(tokens)}}


def config(*parts): return {"tokenizer_config.json": {k: v for part in parts for k, v in part.items()}}


TEXTS = ["good goodbad GOOD", "  <e1>  x<E1>y <e1>", "a good-bad  b", "xgoody good", "中good国", "e\u0301 É<e1>é",
         "[MASK]  a[SEP]b", "_good_ 1good good1 .good.", "<e1><e1> <e2>good", "goodfood foodgood",
         "\u00a0<e1>\u3000x\u0085<e1>\u000by", "", "  "]


def cases():
    """name, files, texts"""
    added = {"added_tokens.json": {"[E1]": NEXT, "<e1>": NEXT + 1, "GoodBad": NEXT + 2}}
    yield "legacy added_tokens.json", added, ["[e1][E1]", "goodbad GOODBAD xGoodBadx"]
    special = {"additional_special_tokens": ["[E1]"], "mask_token": token("[MASK]", lstrip=True)}
    yield "legacy, special by special_tokens_map.json", added | {"special_tokens_map.json": special}, \
        ["[e1][E1]", "goodbad  [MASK] a"]
    for flags in {"normalized": True}, {}, {"lstrip": True}, {"rstrip": True}, {"single_word": True}, \
            {"normalized": True, "single_word": True}, {"lstrip": True, "rstrip": True, "normalized": True}:
        yield f"decoder {flags}", config(decoder(*[token(c, **flags) for c in ("<e1>", "Good", "goo")])), TEXTS
    yield "flags that are left out", config(decoder({"content": "[X]"}, {"content": "[Y]", "special": True})), \
        ["[x][X] [y][Y]"]
    yield "a word of the vocabulary", config(decoder(token("good", normalized=True), first=VOCABULARY.index("good"))), TEXTS
    yield "added tokens are no pieces", config(decoder(token("goo", single_word=True))), ["goodx goo gooa"]
    yield "Chinese characters are set apart", config(decoder(token("中国", normalized=True), token("国x"))), \
        ["中国", "a中国b国x", "国 国x"]
    yield "named without an id", config({"bos_token": "<s>", "eos_token": "good", "foo_token": "[F]",
                                         "additional_special_tokens": ["[E1]", "food"]}), \
        ["<s>good[F][f] [E1] goodfood", "GOOD"]
    yield "special tokens with flags", config(decoder(
        *[token(t, special=True, lstrip=t == "[MASK]", normalized=t == "[SEP]") for t in VOCABULARY[:5]], first=0)), TEXTS
    for lower in True, False:
        yield f"do_lower_case {lower}", config({"do_lower_case": lower, "strip_accents": not lower},
                                               decoder(token("Éx", normalized=True), token("<E1>"))), \
            TEXTS + ["éx Éx ex EX e\u0301x"]
    more = [token("<e1>", id=NEXT), token("Bad", id=NEXT + 1, normalized=True)]
    yield "tokenizer.json", {"tokenizer.json": tokenizer_json(more)}, TEXTS
    cased = {"tokenizer.json": tokenizer_json(more, lowercase=False)}
    for kind in "BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend":
        chosen = {"tokenizer_class": kind}
        yield f"{kind}: normalizer", cased | config(chosen), TEXTS
        yield f"{kind}: do_lower_case", cased | config(chosen, {"do_lower_case": True}), TEXTS
    yield "decoder before tokenizer.json", {"tokenizer.json": tokenizer_json(more)} | config(decoder(token("<e2>"))), TEXTS
    yield "decoder before added_tokens.json", added | config(decoder(token("<e2>"))), TEXTS
    for name, value in {"do_basic_tokenize": False, "never_split": ["good"], "padding_side": "left", "anything": 1,
                        "model_max_length": 64}.items():
        yield name, config({name: value}), TEXTS
    pair = [("a", "good")]
    yield "no segments", config({"model_input_names": ["input_ids", "attention_mask"]}), pair
    yield "segments of a generic class", {"tokenizer.json": tokenizer_json()} | config(
        {"tokenizer_class": "PreTrainedTokenizerFast"}), pair
    yield "segments of DistilBERT's class", config({"tokenizer_class": "DistilBertTokenizer"}), pair
    yield "segments of BERT's class", {}, pair
    yield "vocab.txt of Windows", {"vocab.txt": "\r\n".join(VOCABULARY) + "\r\n\r\n"}, TEXTS
    yield "vocab.txt with white space", {"vocab.txt": " \n".join(VOCABULARY) + "\t\n"}, TEXTS
    r = random.Random(0)
    contents = ["<e1>", "Good", "goo", "Éé", "é-", "中a", "[E]", "abx", "a b", "<e1>>", "e1", "_x", "x_", "OO", " ax", "a x "]
    words = contents + ["good", "x", " ", "  ", "\u00a0", "1", "e\u0301", "Goo", "<E1>", ".", "\u200d", "\u0301"]
    for i in range(60):
        tokens = [token(c, **{f: r.random() < 0.4 for f in FLAGS}) for c in r.sample(contents, r.randrange(1, 6))]
        texts = ["".join(r.choice(words) for _ in range(r.randrange(1, 9))) for _ in range(12)]
        yield f"random {i}", config({"do_lower_case": r.random() < 0.7}, decoder(*tokens)), texts


def encode(tokenizer, text):
    found = tokenizer(*text) if isinstance(text, tuple) else tokenizer(text)
    ids = found["input_ids"]
    return {"ids": ids, "segments": found.get("token_type_ids", [0] * len(ids))}


PLAIN = "\n".join(VOCABULARY) + "\n"
WHOLE = make_tokenizer_json()
with open(HERE / "added_tokens.jsonl", "w") as out:
    print(json.dumps({"vocabulary": VOCABULARY}), file=out)
    for name, files, texts in cases():
        files = {"vocab.txt": PLAIN} | files
        with tempfile.TemporaryDirectory() as folder:
            write(folder, files)
            tokenizer = AutoTokenizer.from_pretrained(folder)
            answers = [{"text": text} | encode(tokenizer, text) for text in texts]
        files = {k: v if isinstance(v, str) else json.dumps(v) for k, v in files.items()}
        if files["vocab.txt"] == PLAIN: del files["vocab.txt"]
        row = {"name": name, "files": files, "answers": answers}
        print(json.dumps(row, separators=(",", ":")), file=out)
