# SPDX-License-Identifier: Apache-2.0
"""Training on several ranks, as the tables of docs/results/MPI.md: 1, 2 and 4 ranks on this machine, one thread each; two
network namespaces joined by a veth pair whose bandwidth tc's tbf sets, one core each; a cost model fitted to some of
these and checked on others; and what it forecasts for more machines. Run it as root, with Open MPI and iproute2, and
with nothing else on the machine. The delay of the link is that of the veth pair: kernels without netem cannot add any."""
import json, os, statistics, subprocess, sys, tempfile
import programs

p = programs.parser(__doc__, "rounds")
p.add_argument("--model", default="random:base", help="whose steps are measured (default random:base)")
p.add_argument("--vocab", required=True, help="its vocab.txt")
p.add_argument("--data", required=True, help="folder with SST-2's train.tsv and dev.tsv")
p.add_argument("--steps", type=int, default=8, help="of each measurement (default 8)")
p.add_argument("--accumulate", type=int, default=1, help="batches of 32 sentences a step (default 1)")
p.add_argument("--machine-cores", type=int, default=32, help="cores of a machine in the second forecast (default 32)")
a = p.parse_args()
BENCH = os.path.abspath(os.path.join(a.build, "apps", "bench"))
ENV = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"} | {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
HOSTS = {"espalier-a": "10.77.0.1", "espalier-b": "10.77.0.2"}  # namespaces and their addresses


def sh(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True, env=ENV)


def in_host(name, command):
    """The command as the host `name` would run it: in its network, under its name."""
    return ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh", *command]


def remove_link():
    for name in HOSTS:
        sh("ip", "netns", "del", name, check=False)


def make_link(gbit):
    remove_link()
    for name in HOSTS:
        sh("ip", "netns", "add", name)
    sh("ip", "link", "add", "veth", "netns", "espalier-a", "type", "veth", "peer", "name", "veth", "netns", "espalier-b")
    for name, address in HOSTS.items():
        for device in ("lo", "veth"):
            sh("ip", "-n", name, "link", "set", device, "up")
        sh("ip", "-n", name, "addr", "add", address + "/24", "dev", "veth")
        sh("ip", "netns", "exec", name, "tc", "qdisc", "add", "dev", "veth", "root", "tbf", "rate", f"{gbit}gbit", "burst", "4mb", "limit", "16mb")


def bench(ranks, *options, hosts=False, pinned=True):
    """The figures of `bench mpi`: the run with the median step of several. Rank r is pinned to core r."""
    work = [BENCH, "mpi", "--model", a.model, "--vocab", a.vocab, "--data", a.data, "--steps", a.steps, "--accumulate", a.accumulate, "--threads", 1, "--json", "--quiet", *options]
    work = [str(w) for w in work]
    if pinned:
        work = ["sh", "-c", 'exec taskset -c $((OMPI_COMM_WORLD_RANK % $(nproc --all))) "$@"', "sh", *work]
    command = ["mpirun", "-q", "--bind-to", "none", "--oversubscribe", "-n", str(ranks)]
    if hosts:
        net = "10.77.0.0/24"
        command += ["--host", ",".join(HOSTS.values()), "--mca", "plm_rsh_agent", agent.name, "--mca", "btl", "self,tcp", "--mca", "pml", "ob1",
                    "--mca", "btl_tcp_if_include", net, "--mca", "oob_tcp_if_include", net]
        command = in_host("espalier-a", command)
    runs = []
    for _ in range(a.rounds):
        done = sh(*command, *work, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command + work)} failed: {done.stderr.strip()[-500:]}")
        runs.append(json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{"))))
    return sorted(runs, key=lambda run: run["step_ms"])[len(runs) // 2]


def threads(count):
    """Examples a second of one process with this many threads."""
    command = [BENCH, "mpi", "--model", a.model, "--vocab", a.vocab, "--data", a.data, "--steps", a.steps, "--accumulate", a.accumulate, "--threads", count, "--json", "--quiet"]
    runs = [json.loads(sh(*map(str, command)).stdout.splitlines()[0]) for _ in range(a.rounds)]
    return statistics.median(run["examples_per_second"] for run in runs)


def row(*cells):
    print("| " + " | ".join(f"{c:.1f}" if isinstance(c, float) else str(c) for c in cells) + " |")


def table(*heads):
    print()
    row(*heads)
    row(*["---"] * len(heads))


# The cost of a step. Passes and update are divided by the ranks R. To each rank come the gradients of its share of the dense parameters from all
# others and, behind the update, the others' values: D (R - 1) / R numbers each; and the rows of the word table that other ranks saw. Gradients
# travel behind the backward pass of a rank's last micro-batch. A byte that comes costs `cpu` of the core that computes, too.
def megabytes(dense, ranks, gradient_bytes, rows):
    share = (ranks - 1) / ranks
    return 1e-6 * (dense * share * gradient_bytes + rows * share * gradient_bytes / 4), 1e-6 * dense * share * 4  # of gradients, of values


def step_ms(passes, backward, update, dense, rows, ranks, gbit, fit, gradient_bytes=4, lanes=8, accumulate=1, cores=1):
    """passes, backward, update: ms of one core for the whole window."""
    gradients, values = megabytes(dense, ranks, gradient_bytes, rows)
    ms_of = lambda mb: 8 * mb / (gbit * fit["share"])
    hidden = backward / (lanes * accumulate) / cores
    exposed = max(0.0, ms_of(gradients) - hidden) + ms_of(values)
    return (passes + update) / ranks / cores + fit["cpu"] * (gradients + values) / cores + exposed + fit["latency_ms"] * ranks


def fit_model(base, measured, dense, rows):
    """Share of the link's bandwidth that is reached, and ms of the core for each MB: the pair with the smallest squared relative error."""
    best = None
    for share in [s / 100 for s in range(30, 101)]:
        for cpu in [c / 100 for c in range(0, 201, 2)]:
            fit = {"share": share, "cpu": cpu, "latency_ms": 0.1}
            errors = [forecast(base, setting, dense, rows, fit) / run["step_ms"] - 1 for setting, run in measured]
            error = sum(e * e for e in errors)
            if best is None or error < best[0]:
                best = error, fit
    return best[1]


def forecast(base, setting, dense, rows, fit):
    passes = base["forward_ms"] + base["backward_ms"]
    return step_ms(passes, base["backward_ms"], base["step_ms"] - passes, dense, rows, 2, setting["gbit"], fit, setting["bytes"], accumulate=a.accumulate)


def machines(name, dense, hidden_size, base, fit, cores):
    """Speed over one machine, of batches of 256 sentences cut into 64 micro-batches."""
    scale = 256 / (base["batch_size"] * base["accumulate"])
    passes, backward, update = scale * (base["forward_ms"] + base["backward_ms"]), scale * base["backward_ms"], base["step_ms"] - base["forward_ms"] - base["backward_ms"]
    rows = scale * base["tokens_per_step"] * hidden_size * 4 * 0.5  # about half of the words in a batch are different ones
    table(f"{name}, {cores} cores a machine", "8 machines", "16", "64")
    for text, factor, gradient_bytes in (("256 sentences a step", 1, 4), ("the same, `--gradient-dtype bf16`", 1, 2), ("1024 sentences: a larger batch", 4, 2),
                                         ("4096 sentences", 16, 2), ("1024 sentences as 4 batches: `--accumulate 4`", -4, 2)):
        accumulate = max(1, -factor)
        factor = abs(factor)
        for gbit in (1, 10):
            one = (factor * passes + update) / cores
            cells = [one / step_ms(factor * passes, factor * backward, update, dense, rows * factor, ranks, gbit, fit, gradient_bytes, 64, accumulate, cores)
                     for ranks in (8, 16, 64)]
            row(f"{text}, {gbit} Gbit/s", *(f"{c:.1f} x" for c in cells))


agent = tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False)
agent.write("#!/bin/sh\n# HOST COMMAND…: there is one other host\nshift\nexec ip netns exec espalier-b unshare --uts sh -c \"hostname espalier-b; $*\"\n")
agent.close()
os.chmod(agent.name, 0o755)
try:
    print("On one machine, one thread a rank:")
    two = threads(2)
    one = bench(1)
    table("ranks", "step ms", "sentences/s", "against two threads", "MB to each rank", "waited ms", "GB a rank")
    row("1", one["step_ms"], one["examples_per_second"], f"{one['examples_per_second'] / two:.2f} x", 0, 0, f"{one['peak_memory_gb']:.2f}")
    for ranks in (2, 4):
        r = bench(ranks, pinned=False)
        row(ranks, r["step_ms"], r["examples_per_second"], f"{r['examples_per_second'] / two:.2f} x", r["mb_per_step"], r["waited_ms"], f"{r['peak_memory_gb']:.2f}")
    row("2 threads, no ranks", "", two, "1 x", 0, 0, "")
    print("\nTwo network namespaces, one core each:")
    table("link", "gradients", "step ms", "against one core", "MB", "transfer ms", "waited ms", "hidden")
    measured = []
    for gbit, dtype in ((10, "f32"), (1, "f32"), (1, "bf16"), (2.5, "f32")):
        make_link(gbit)
        r = bench(2, "--gradient-dtype", dtype, hosts=True)
        measured.append(({"gbit": gbit, "bytes": 4 if dtype == "f32" else 2}, r))
        row(f"{gbit} Gbit/s", dtype, r["step_ms"], f"{one['step_ms'] / r['step_ms']:.2f} x", r["mb_per_step"], r["transfer_ms"], r["waited_ms"], f"{100 * r['hidden_share']:.0f} %")
finally:
    remove_link()
    os.unlink(agent.name)

# To each of two ranks come 4 D + rows / 2 bytes with gradients in f32, and 3 D + rows / 4 in bf16.
f32, saved = 1e6 * measured[1][1]["mb_per_step"], 1e6 * (measured[1][1]["mb_per_step"] - measured[2][1]["mb_per_step"])
dense = (f32 - 2 * saved) / 2
rows = 4 * (saved - dense)
fit = fit_model(one, measured[:2], dense, rows)
print(f"\nThe model: {100 * fit['share']:.0f} % of the link's bandwidth are reached, and each MB takes {fit['cpu']:.2f} ms of the core that computes "
      f"(fitted to the first two rows; {dense * 1e-6:.1f} M dense parameters).")
table("setting that it was not fitted to", "measured ms", "model ms", "difference")
for setting, r in measured[2:]:
    ms = forecast(one, setting, dense, rows, fit)
    row(f"{setting['gbit']} Gbit/s, gradients of {setting['bytes']} bytes", r["step_ms"], ms, f"{100 * (ms / r['step_ms'] - 1):+.0f} %")
for size, count, hidden_size in (("base", 86.0e6, 768), ("large", 303.9e6, 1024)):
    a.model = "random:" + size
    base = one if a.model == p.get_default("model") and one["model"] == a.model else bench(1)
    for cores in (1, a.machine_cores):
        machines("BERT-" + size, count, hidden_size, base, fit, cores)
