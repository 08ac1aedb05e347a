"""Vocabularies that Hugging Face's tokenizers 0.23 trains on made-up sentences: byte-level BPE, whose merges are those of
train_vocab. Writes vocabulary.json beside this script: sentences, merges, and the vocabulary. usage: vocabulary.py"""
import json
import pathlib
import random

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]

r = random.Random(0)
syllables = "ba be bo na ne no ka ko ta to aa aaa la lo é ñu 中 文 1 22 's ! ...".split()
words = ["".join(r.choice(syllables) for _ in range(r.randrange(1, 5))) for _ in range(120)]
sentences = [" ".join(r.choice(words) for _ in range(r.randrange(1, 12))) for _ in range(300)] + ["aaaaaaa aaaa", "ab abc abcab bc bcab"] * 3

found = []
for prefix_space in False, True:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    trainer = trainers.BpeTrainer(vocab_size=700, min_frequency=2, show_progress=False, special_tokens=SPECIAL,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(sentences, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    found.append({"prefix_space": prefix_space, "merges": merges, "vocabulary": sorted(model["vocab"], key=model["vocab"].get)})
with open(HERE / "vocabulary.json", "w") as out:
    print(json.dumps({"sentences": sentences, "trained": found}), file=out)
