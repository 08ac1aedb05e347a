# SPDX-License-Identifier: Apache-2.0
"""What a teacher costs once its answers are kept on disk: training a student from labels alone, with the teacher's
logits, and with its hidden states too, in turns, as the Markdown table of docs/results/DISTILLATION.md. The first run
of each variant writes the files and is not counted. The student has every second layer of the teacher. Let nothing else
run."""
import os, statistics, tempfile
import programs

p = programs.parser(__doc__, "data", "rounds")
p.add_argument("--teacher", required=True, help="fine-tuned checkpoint FILE.h5 of MiniLM")
p.add_argument("--sentences", type=int, default=6400, help="of the training data, in file order (default 6400)")
a = p.parse_args()
LEARNS = ["--distill.teacher", a.teacher]
HIDDEN = [*LEARNS, "--distill.hidden-weight", "1"]
VARIANTS = {"labels only": [], "teacher's logits, kept": LEARNS, "and hidden states of three layers, kept": [*HIDDEN, "--distill.keep-states"], "and hidden states, computed in each step": HIDDEN}

with tempfile.TemporaryDirectory() as folder:
    for name, lines in {"train.tsv": a.sentences + 1, "dev.tsv": 33}.items():
        with open(os.path.join(a.data, name), encoding="utf8") as whole, open(os.path.join(folder, name), "w", encoding="utf8") as part:
            part.writelines(line for _, line in zip(range(lines), whole))
    student = os.path.join(folder, "student.h5")
    programs.run(a.build, "prune", "--model", a.teacher, "--output", student, "--drop-layers", "0,2,4")
    speeds = {name: [] for name in VARIANTS}
    for r in range(a.rounds + 1):
        for name, options in VARIANTS.items():
            result = programs.run(a.build, "train_sst2", "--model", student, "--data", folder, "--output", os.path.join(folder, "out.h5"), "--epochs", 1, "--learning-rate", "1e-5", *options)[-1]
            if r > 0:
                speeds[name].append(result["train_samples_per_second"])
    print("| student learns from | sentences/s | time a step |\n|---|---|---|")
    alone = statistics.median(speeds["labels only"])
    for name, found in speeds.items():
        print(f"| {name} | {statistics.median(found):.0f} | {alone / statistics.median(found):.2f} × |")
