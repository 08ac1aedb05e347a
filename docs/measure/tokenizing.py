# SPDX-License-Identifier: Apache-2.0
"""Espalier's tokenizers beside Hugging Face's tokenizers, one thread each: speed on train.tsv, whether all ids are equal
there and on hostile lines, and whether train_vocab makes the vocabulary that the library's trainers make. Prints the
table of docs/TOKENIZERS.md. WordPiece takes the vocabulary of --vocab; byte-level BPE has those that are trained here,
since the speed depends on how many words are one token. Run it with a Python that has transformers, with nothing else
on the machine."""
import json, os, random, statistics, subprocess, tempfile, time

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
import programs

p = programs.parser(__doc__, "data", "rounds")
p.add_argument("--vocab", required=True, help="directory of a BERT tokenizer, such as that of the fine-tuned model")
p.add_argument("--hostile", type=int, default=5000, help="hostile lines (default 5000)")
a = p.parse_args()

from tokenizers import BertWordPieceTokenizer, Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
TRAIN = os.path.join(a.data, "train.tsv")
SENTENCES = [line.split("\t")[0] for line in open(TRAIN, encoding="utf8").read().split("\n")[1:] if line]


def train(work, kind, size):
    directory = os.path.join(work, f"{kind}{size}")
    programs.run(a.build, "train_vocab", "--input", TRAIN, "--type", kind, "--size", size, "--output", directory)
    return directory


def seconds(action):
    times = []
    for _ in range(a.rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def hostile_lines(count):
    """Characters of all sorts, with what tokenizers treat in a way of its own between them."""
    r = random.Random(0)
    pieces = ["<mask>", "<s>", "[MASK]", "[SEP]", "'s", "'ll", "don't", "  ", "\u00a0", "\u3000", "e\u0301", "\u0130", "\ufb01", "\u200d", "\u00ad", "##", "the", "film"]

    def pick():
        if r.random() < 0.4: return r.choice(pieces)
        c = r.choice([r.randrange(32, 127)] * 6 + [r.randrange(0xA0, 0x3000), r.randrange(0x3000, 0xD800), r.randrange(0xE000, 0x110000)])
        return chr(c)

    for _ in range(count):
        line = "".join(pick() for _ in range(r.randrange(1, 40)))
        yield line.replace("\x85", "").replace("\u2028", "").replace("\u2029", "")


def ids_of(directory, lines):
    done = subprocess.run([os.path.join(a.build, "apps", "tokenize"), "--model", directory, "--max-length", "100000", "--quiet"],
                          input="\n".join(lines) + "\n", capture_output=True, encoding="utf8", check=True)
    return [[int(i) for i in line.split()] for line in done.stdout.split("\n")[:-1]]


def row(name, directory):
    theirs = AutoTokenizer.from_pretrained(directory).backend_tokenizer
    theirs.no_truncation()
    theirs.no_padding()
    lines = list(hostile_lines(a.hostile))
    same = sum(x == theirs.encode(line).ids for x, line in zip(ids_of(directory, lines), lines))
    expected = [e.ids for e in theirs.encode_batch(SENTENCES)]
    equal = sum(x == y for x, y in zip(ids_of(directory, SENTENCES), expected))
    one_by_one = len(SENTENCES) / seconds(lambda: [theirs.encode(s).ids for s in SENTENCES])
    batch = len(SENTENCES) / seconds(lambda: [e.ids for e in theirs.encode_batch(SENTENCES)])
    fast = len(SENTENCES) / seconds(lambda: [e.ids for e in theirs.encode_batch_fast(SENTENCES)])
    own = programs.run(a.build, "bench", "tokenize", "--vocab", directory, "--data", a.data, "--steps", a.rounds)[0]["sentences_per_second"]
    best = max(one_by_one, batch, fast)
    print(f"| {name} | {own:,.0f} | {one_by_one:,.0f} | {batch:,.0f} | {fast:,.0f} | {own / best:.1f} × | {equal} of {len(SENTENCES)} | {same} of {len(lines)} |")


def trained_bpe(size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, show_progress=False, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return json.loads(tokenizer.to_str())["model"]


def trained_wordpiece(size):
    tokenizer = BertWordPieceTokenizer()
    tokenizer.train_from_iterator(SENTENCES, vocab_size=size, min_frequency=2, show_progress=False)
    return set(tokenizer.get_vocab())


with tempfile.TemporaryDirectory() as work:
    bpe = {size: train(work, "bpe", size) for size in (8000, 16000)}
    print("| tokenizer | Espalier, sentences/s | `encode` | `encode_batch` | `encode_batch_fast` | faster | ids equal, train.tsv | ids equal, hostile |")
    print("|---|---|---|---|---|---|---|---|")
    row("WordPiece of --vocab", a.vocab)
    row("WordPiece, 8,000 trained", train(work, "wordpiece", 8000))
    for size, directory in bpe.items(): row(f"byte-level BPE, {size:,} trained", directory)
    model = trained_bpe(8000)
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    own = open(os.path.join(bpe[8000], "merges.txt"), encoding="utf8").read().split("\n")[1:-1]
    print(f"\ntrain_vocab --type bpe --size 8000: {sum(x == y for x, y in zip(own, merges))} of {len(merges)} merges are those of tokenizers' trainer, in its order.")
    words = set(open(os.path.join(work, "wordpiece8000", "vocab.txt"), encoding="utf8").read().split("\n")[:-1])
    print(f"train_vocab --type wordpiece --size 8000: {len(words & trained_wordpiece(8000))} of {len(words)} tokens are those of BertWordPieceTokenizer's trainer.")
