# SPDX-License-Identifier: Apache-2.0
"""Whether exported tokenizers give the token ids of tests/golden: AutoTokenizer on the whole directory, and tokenizers
on its tokenizer.json alone."""
import json, os

import programs
from tokenizers import Tokenizer
from transformers import AutoTokenizer

GOLDEN = os.path.join(programs.ROOT, "tests", "golden")
OPTIONS = {"uncased": (True, None), "cased": (False, None), "keep_accents": (True, False), "strip_only": (False, True)}


def golden(name):
    with open(os.path.join(GOLDEN, name), encoding="utf8") as f:
        return f.read()


def exported(build, work, name, files):
    """Both tokenizers of what a directory with these files is exported to."""
    source, target = os.path.join(work, name), os.path.join(work, name + ".out")
    os.makedirs(source)
    for file, content in ({"config.json": {"model_type": "bert"}} | files).items():
        with open(os.path.join(source, file), "w", encoding="utf8", newline="") as f:
            f.write(content if isinstance(content, str) else json.dumps(content))
    programs.run(build, "export", "--model", "random:tiny", "--vocab", source, "--output", target, "--format", "onnx")
    return AutoTokenizer.from_pretrained(target), Tokenizer.from_file(os.path.join(target, "tokenizer.json"))


def hostile_texts(build, work):
    texts = [json.loads(line) for line in golden("tokens.jsonl").splitlines()]
    for name, (lowercase, strip) in OPTIONS.items():
        config = {"tokenizer_class": "BertTokenizer", "do_lower_case": lowercase, "strip_accents": strip, "tokenize_chinese_chars": name != "strip_only"}
        whole, alone = exported(build, work, name, {"vocab.txt": golden("tokens_vocab.txt"), "tokenizer_config.json": config})
        for text in texts:
            if text["options"] == name:
                first, second, length = text["first"], text["second"], text["max_length"]
                found = whole([first], None if second is None else [second], truncation=True, max_length=length)
                alone.enable_truncation(length)
                other = alone.encode(first) if second is None else alone.encode(first, second)
                expected = text["ids"], text["segments"]
                yield expected == (found["input_ids"][0], found["token_type_ids"][0]) and expected == (other.ids, other.type_ids)


def added_tokens(build, work):
    head, *cases = [json.loads(line) for line in golden("added_tokens.jsonl").splitlines()]
    vocabulary = {"vocab.txt": "\n".join(head["vocabulary"]) + "\n"}
    for i, case in enumerate(cases):
        files = case["files"] if "tokenizer.json" in case["files"] else vocabulary | case["files"]
        whole, alone = exported(build, work, f"added{i}", files)
        for answer in case["answers"]:
            if isinstance(answer["text"], str):
                yield answer["ids"] == whole(answer["text"])["input_ids"] == alone.encode(answer["text"]).ids


def byte_level(build, work):
    """Byte-level BPE, whose files are those of RoBERTa."""
    plain = {name: golden(os.path.join("byte_level", name)) for name in ("vocab.json", "merges.txt")}
    for i, case in enumerate(map(json.loads, golden("byte_level.jsonl").splitlines())):
        files = case["files"] if "tokenizer.json" in case["files"] else plain | case["files"]
        whole, alone = exported(build, work, f"bytes{i}", {"config.json": {"model_type": "roberta"}} | files)
        for first, second, length, ids in case["answers"]:
            found = whole([first], None if second is None else [second], truncation="longest_first", max_length=length)
            alone.enable_truncation(length)
            other = alone.encode(first) if second is None else alone.encode(first, second)
            yield ids == found["input_ids"][0] == other.ids


def summary(build, work):
    """One line."""
    same = [*hostile_texts(build, work), *added_tokens(build, work), *byte_level(build, work)]
    return f"Token ids of {len(same)} hostile texts of tests/golden: {sum(same)} the same in transformers and tokenizers."
