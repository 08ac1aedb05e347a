# SPDX-License-Identifier: Apache-2.0
"""Trains a tiny model a few steps on a made-up training file of --gigabytes, and prints the memory that this took as the
Markdown table of docs/DATA.md: anonymous memory, which must fit into the machine's, and mapped files, which need not.
Removes the file again."""
import os, random, subprocess, tempfile, time
import programs

p = programs.parser(__doc__)
p.add_argument("--gigabytes", type=float, default=2, help="of the training file (default 2)")
p.add_argument("--memory", default="512", help="--data-memory in MiB (default 512)")
p.add_argument("--limit", type=int, help="GiB of anonymous memory that the system allows (ulimit -d)")
p.add_argument("--format", choices=("tsv", "csv", "jsonl"), default="csv")
a = p.parse_args()

WORDS = "a the film story is was not very good bad warm dull plot actor scene end without with and but little much".split()


def line(source):
    text, label = " ".join(source.choices(WORDS, k=source.randint(5, 45))), source.randint(0, 1)
    return {"tsv": f"{text}\t{label}\n", "csv": f"\"{text}, or \"\"so\"\"\",{label}\n", "jsonl": f'{{"sentence": "{text}", "label": {label}}}\n'}[a.format]


def write(path, size):
    source = random.Random(1)
    block = "".join(line(source) for _ in range(100_000)).encode()
    with open(path, "wb") as file:
        file.write({"tsv": b"sentence\tlabel\n", "csv": b"sentence,label\n", "jsonl": b""}[a.format])
        while file.tell() < size:
            file.write(block)


def status(process):
    with open(f"/proc/{process.pid}/status") as file:
        fields = dict(row.split(":", 1) for row in file if ":" in row)
    return [int(fields[name].split()[0]) / 1024 if name in fields else 0 for name in ("RssAnon", "RssFile", "VmHWM")]


with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
    train = os.path.join(folder, "train." + a.format)
    write(train, a.gigabytes * 1e9)
    command = [os.path.join(a.build, "apps", "train_sst2"), "--model", "random:tiny", "--data", train, "--validation-split", "0.001", "--max-steps", "5", "--data-memory", a.memory,
               "--output", os.path.join(folder, "model.h5"), "--quiet"]
    limit = f"ulimit -d {a.limit << 20}; " if a.limit else ""
    start, peak = time.time(), [0, 0, 0]
    process = subprocess.Popen(["bash", "-c", limit + "exec " + " ".join(command)])
    while process.poll() is None:
        try:
            peak = [max(pair) for pair in zip(peak, status(process))]
        except (OSError, KeyError):
            pass
        time.sleep(0.05)
    assert process.returncode == 0, "the training failed"
    print("| file | anonymous memory | mapped files | all at its peak | time |\n|---|---|---|---|---|")
    print(f"| {os.path.getsize(train) / 1e9:.2f} GB, {a.format} | {peak[0]:.0f} MiB | {peak[1]:.0f} MiB | {peak[2]:.0f} MiB | {time.time() - start:.0f} s |")
