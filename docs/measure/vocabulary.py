# SPDX-License-Identifier: Apache-2.0
"""The loss of masked words over BERT's 30,522 words, with its gradients: here in chunks, here with all logits kept, and
PyTorch's linear layer and cross entropy. The three take turns; the median of the rounds counts. Needs torch. With
nothing else on the machine."""
import statistics, subprocess, sys, time
import programs

WORDS = 30522

p = programs.parser(__doc__, "rounds")
p.add_argument("--threads", type=int, default=2, help="of both (default 2)")
p.add_argument("--steps", type=int, default=10, help="of a measurement (default 10)")
p.add_argument("--torch", nargs=3, metavar=("ROWS", "WIDTH", "PRECISION"), help="only PyTorch's ms for this size")
a = p.parse_args()


def torch_ms(rows, width, precision):
    import torch
    torch.set_num_threads(a.threads)
    x, table = (torch.rand(n, width).sub_(0.5).div_(8).requires_grad_() for n in (rows, WORDS))
    bias, labels = torch.zeros(WORDS, requires_grad=True), torch.arange(rows) * 7919 % WORDS
    times = []
    for _ in range(a.steps + 2):
        begin = time.perf_counter()
        for leaf in (x, table, bias):
            leaf.grad = None
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = torch.nn.functional.linear(x, table, bias)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times[2:])


if a.torch:
    print(torch_ms(int(a.torch[0]), int(a.torch[1]), a.torch[2]))
    sys.exit()
here, there = {}, {}
for _ in range(a.rounds):
    for precision in ("f32", "bf16"):
        for r in programs.run(a.build, "bench", "vocabulary", "--precision", precision, "--steps", a.steps, "--threads", a.threads):
            key = precision, int(r["width"]), int(r["rows"])
            here.setdefault(key, []).append(r)
            done = subprocess.run([sys.executable, __file__, "--threads", str(a.threads), "--steps", str(a.steps), "--torch", str(key[2]), str(key[1]), precision],
                                  capture_output=True, text=True, check=True)
            there.setdefault(key, []).append(float(done.stdout))
print("| precision | H | rows | chunks, ms | all logits, ms | PyTorch, ms | PyTorch over chunks | chunks, MB | all logits, MB |\n|---|---|---|---|---|---|---|---|---|")
for key, runs in here.items():
    of = lambda name: statistics.median(run[name] for run in runs)
    torch = statistics.median(there[key])
    print(f"| {key[0]} | {key[1]} | {key[2]} | {of('chunked_ms'):.1f} | {of('whole_ms'):.1f} | {torch:.1f} | {torch / of('chunked_ms'):.2f} x | {of('chunked_mb'):.0f} | {of('whole_mb'):.0f} |")
