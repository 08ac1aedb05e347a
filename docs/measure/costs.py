# SPDX-License-Identifier: Apache-2.0
"""What masks and fake-quant add to a training step, and how much faster inference gets when heads and neurons are cut
out, compared with the count of operations: the Markdown tables of docs/results/TRAINING_SPEED.md and PRUNING.md.
--model is MiniLM. Let nothing else run."""
import os, statistics, tempfile
import programs

p = programs.parser(__doc__, "model", "data", "rounds")
p.add_argument("--vocab", required=True, help="vocab.txt for the random BERT-base")
p.add_argument("--steps", type=int, default=40, help="of MiniLM in each measurement (default 40)")
p.add_argument("--precisions", default="bf16,f32", help="default bf16,f32")
a = p.parse_args()
precisions = a.precisions.split(",")
MODELS = {"MiniLM": (["--model", a.model], a.steps), "BERT-base": (["--model", "random:base", "--vocab", a.vocab], max(8, a.steps // 4))}
VARIANTS = {"plain": [], "half of the weights masked (`--mask 0.5`)": ["--mask", "0.5"], "fake-quant (`--qat`)": ["--qat"]}


def bench(what, *options):
    return programs.run(a.build, "bench", what, "--data", a.data, *options)[0]


def in_turns(entries):
    """Medians of what the entries' functions return, each called once a round."""
    found = {name: [] for name in entries}
    for _ in range(a.rounds):
        for name, measure in entries.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


steps = in_turns({(model, precision, variant): lambda m=model, pr=precision, v=variant: bench("train", *MODELS[m][0], "--precision", pr, "--steps", MODELS[m][1], *VARIANTS[v])["examples_per_second"]
                  for model in MODELS for precision in precisions for variant in VARIANTS})
print("| a training step of | precision | sentences/s | time against plain |\n|---|---|---|---|")
for (model, precision, variant), rate in steps.items():
    print(f"| {model}, {variant} | {precision} | {rate:.1f} | {steps[model, precision, 'plain'] / rate:.2f} × |")

with tempfile.TemporaryDirectory() as folder:
    narrow, small = os.path.join(folder, "narrow.h5"), os.path.join(folder, "small.h5")
    programs.run(a.build, "prune", "--model", a.model, "--output", narrow, "--structure", "neuron", "--amount", "0.5")
    done = programs.run(a.build, "prune", "--model", narrow, "--output", small, "--structure", "head", "--amount", "0.25", "--shrink")[-1]
    promised = programs.run(a.build, "inspect", small)[-1]["expected_speedup"]
    speeds = in_turns({(name, precision): lambda path=path, pr=precision: bench("infer", "--model", path, "--precision", pr, "--figures", "throughput", "--batch-sizes", 32, "--steps", a.steps)["sentences_per_second"]
                       for precision in precisions for name, path in (("dense", a.model), ("cut", small))})
    print(f"\nHalf of the feed-forward neurons and a quarter of the heads cut out: {done['parameters'] * 1e-6:.1f} M parameters instead of {done['parameters_before'] * 1e-6:.1f}, "
          f"{done['file_bytes'] * 1e-6:.1f} MB instead of {os.path.getsize(a.model) * 1e-6:.1f}, {promised:.2f} times as fast by the count of operations.\n")
    print("| precision | dense, sentences/s | cut | speed-up | of what is promised |\n|---|---|---|---|---|")
    for precision in precisions:
        dense, cut = speeds["dense", precision], speeds["cut", precision]
        print(f"| {precision} | {dense:.0f} | {cut:.0f} | {cut / dense:.2f} | {100 * cut / dense / promised:.0f} % |")
