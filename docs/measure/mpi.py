# SPDX-License-Identifier: Apache-2.0
"""Training on several ranks, as the tables of docs/results/MPI.md: 1, 2 and 4 ranks on this machine, one thread each; two
network namespaces joined by a veth pair whose bandwidth tc's tbf sets, one core each; a cost model fitted to some of
these and checked on others; and what it forecasts for more machines. Run it as root, with Open MPI and iproute2, and
with nothing else on the machine. The delay of the link is that of the veth pair: kernels without netem cannot add any."""
import json, os, subprocess, sys, tempfile
import programs

p = programs.parser(__doc__, "rounds")
p.add_argument("--model", default="random:base", help="whose steps are measured (default random:base)")
p.add_argument("--vocab", required=True, help="its vocab.txt")
p.add_argument("--data", required=True, help="folder with SST-2's train.tsv and dev.tsv")
p.add_argument("--steps", type=int, default=5, help="of each measurement (default 5)")
p.add_argument("--batches", default="32,256", help="sentences a step; the model is fitted to the first, and checked on the others (default 32,256)")
p.add_argument("--links", default="10:f32,1:f32,10:bf16,1:bf16,2.5:f32", help="Gbit/s and type of the gradients; without the first two there is no model")
p.add_argument("--machine-cores", type=int, default=32, help="cores of a machine in the second forecast (default 32)")
a = p.parse_args()
BATCHES = [int(b) for b in a.batches.split(",")]
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


def command_of(threads, batch, options):
    return [str(w) for w in (BENCH, "mpi", "--model", a.model, "--vocab", a.vocab, "--data", a.data, "--steps", a.steps, "--batch-size", batch,
                             "--threads", threads, "--json", "--quiet", *options)]


def median_run(command):
    """The run with the median step of several."""
    runs = []
    for _ in range(a.rounds):
        done = sh(*command, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
        runs.append(json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{"))))
    return sorted(runs, key=lambda run: run["step_ms"])[len(runs) // 2]


def alone(threads, batch, *options):
    """One process without mpirun."""
    return median_run(command_of(threads, batch, options))


def bench(ranks, batch, *options, hosts=False):
    """Several ranks of one thread each. On two hosts, rank r is pinned to core r."""
    work = command_of(1, batch, options)
    command = ["mpirun", "-q", "--bind-to", "none", "--oversubscribe", "-n", str(ranks)]
    if hosts:
        work = ["sh", "-c", 'exec taskset -c $((OMPI_COMM_WORLD_RANK % $(nproc --all))) "$@"', "sh", *work]
        net = "10.77.0.0/24"
        command += ["--host", ",".join(HOSTS.values()), "--mca", "plm_rsh_agent", agent.name, "--mca", "btl", "self,tcp", "--mca", "pml", "ob1",
                    "--mca", "btl_tcp_if_include", net, "--mca", "oob_tcp_if_include", net]
        command = in_host("espalier-a", command)
    return median_run(command + work)


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


def step_ms(passes, backward, update, dense, rows, ranks, gbit, fit, gradient_bytes=4, lanes=8, cores=1):
    """passes, backward, update: ms of one core for all sentences. lanes: micro-batches, of which each rank's last one hides gradients."""
    gradients, values = megabytes(dense, ranks, gradient_bytes, rows)
    ms_of = lambda mb: 8 * mb / (gbit * fit["share"])
    exposed = max(0.0, ms_of(gradients) - backward / lanes / cores) + ms_of(values)
    return (passes + update) / ranks / cores + fit["cpu"] * (gradients + values) / cores + exposed + fit["latency_ms"] * ranks


def fit_model(bases, measured, dense, latency_ms):
    """Share of the link's bandwidth that is reached, and ms of the core for each MB: the pair with the smallest squared relative error."""
    best = None
    for share in [s / 100 for s in range(30, 101)]:
        for cpu in [c / 100 for c in range(0, 301, 2)]:
            fit = {"share": share, "cpu": cpu, "latency_ms": latency_ms}
            error = sum((forecast(bases, setting, dense, fit) / run["step_ms"] - 1) ** 2 for setting, run in measured)
            if best is None or error < best[0]:
                best = error, fit
    return best[1]


def rows_of(base, hidden_size=768):
    """Elements of the word table's gradient: about half of the words of a step are different ones."""
    return base["tokens_per_step"] * hidden_size * 0.5 * 4


def forecast(bases, setting, dense, fit):
    base = bases[setting["batch"]]
    passes = base["forward_ms"] + base["backward_ms"]
    return step_ms(passes, base["backward_ms"], base["step_ms"] - passes, dense, rows_of(base), 2, setting["gbit"], fit, setting["bytes"])


def machines(name, dense, hidden_size, base, fit, cores):
    """Speed over one machine, with one micro-batch for each machine."""
    per_sentence = {key: base[key] / base["batch_size"] for key in ("forward_ms", "backward_ms")}
    update = base["step_ms"] - base["forward_ms"] - base["backward_ms"]
    table(f"{name}, {cores} {'core' if cores == 1 else 'cores'} a machine", "8 machines", "16", "64")
    for sentences, gradient_bytes in ((256, 4), (256, 2), (1024, 2), (4096, 2)):
        passes, backward = sentences * sum(per_sentence.values()), sentences * per_sentence["backward_ms"]
        rows = rows_of(base, hidden_size) * sentences / base["batch_size"]
        for gbit in (1, 10):
            one = (passes + update) / cores
            cells = [one / step_ms(passes, backward, update, dense, rows, ranks, gbit, fit, gradient_bytes, ranks, cores) for ranks in (8, 16, 64)]
            row(f"{sentences} sentences a step, gradients in {'f32' if gradient_bytes == 4 else 'bf16'}, {gbit} Gbit/s", *(f"{c:.{1 if c >= 1 else 2}f} x" for c in cells))


agent = tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False)
agent.write("#!/bin/sh\n# HOST COMMAND…: there is one other host\nshift\nexec ip netns exec espalier-b unshare --uts sh -c \"hostname espalier-b; $*\"\n")
agent.close()
os.chmod(agent.name, 0o755)
try:
    print("On one machine; ranks of one thread, 8 micro-batches:")
    table("sentences a step", "one thread", "two threads", "2 ranks", "against two threads", "4 ranks", "against two threads", "waited ms", "GB a rank")
    plain, bases = {}, {}
    for batch in BATCHES:
        plain[batch], two = alone(1, batch, "--micro-batches", 1), alone(2, batch, "--micro-batches", 1)
        bases[batch] = alone(1, batch)
        r2, r4 = bench(2, batch), bench(4, batch)
        row(batch, plain[batch]["step_ms"], two["step_ms"], *(cell for r in (r2, r4) for cell in (r["step_ms"], f"{two['step_ms'] / r['step_ms']:.2f} x")),
            r4["waited_ms"], f"{r2['peak_memory_gb']:.2f}, {r4['peak_memory_gb']:.2f}")
    print("\nTwo network namespaces, one core each:")
    table("sentences a step", "link", "gradients", "step ms", "against one core", "MB", "transfer ms", "waited ms", "hidden")
    measured = []
    for gbit, dtype in [(float(gbit), dtype) for gbit, dtype in (link.split(":") for link in a.links.split(","))]:
        make_link(gbit)
        for batch in BATCHES if gbit != 2.5 else BATCHES[:1]:
            r = bench(2, batch, "--gradient-dtype", dtype, hosts=True)
            measured.append(({"gbit": gbit, "bytes": 4 if dtype == "f32" else 2, "batch": batch}, r))
            row(batch, f"{gbit:g} Gbit/s", dtype, r["step_ms"], f"{plain[batch]['step_ms'] / r['step_ms']:.2f} x", r["mb_per_step"], r["transfer_ms"], r["waited_ms"],
                f"{100 * r['hidden_share']:.0f} %")
finally:
    remove_link()
    os.unlink(agent.name)

first = [m for m in measured if m[0]["batch"] == BATCHES[0]]
dense = (1e6 * first[0][1]["mb_per_step"] - rows_of(bases[BATCHES[0]]) / 2) / 4  # to each of two ranks come 4 D + rows / 2 bytes
fitted = [m for m in first if m[0]["bytes"] == 4 and m[0]["gbit"] in (1, 10)]
if len(fitted) < 2:
    sys.exit()
fit = fit_model(bases, fitted, dense, 1e-3 * fitted[0][1]["latency_us"])
print(f"\nThe model: {100 * fit['share']:.0f} % of the link's bandwidth are reached, and each MB takes {fit['cpu']:.2f} ms of the core that computes "
      f"(fitted to {BATCHES[0]} sentences in f32 over 10 and 1 Gbit/s); a message takes {fit['latency_ms']:.3f} ms (measured); {dense * 1e-6:.1f} M dense parameters.")
table("setting that it was not fitted to", "measured ms", "model ms", "difference")
for setting, r in measured:
    if any(setting is s for s, _ in fitted):
        continue
    ms = forecast(bases, setting, dense, fit)
    row(f"{setting['batch']} sentences, {setting['gbit']:g} Gbit/s, gradients of {setting['bytes']} bytes", r["step_ms"], ms, f"{100 * (ms / r['step_ms'] - 1):+.0f} %")
for size, count, hidden_size in (("base", 86.0e6, 768), ("large", 303.9e6, 1024)):
    if a.model == "random:" + size:
        base = bases[BATCHES[-1]]
    else:
        a.model = "random:" + size
        base = alone(1, 64)
    for cores in (1, a.machine_cores):
        machines("BERT-" + size, count, hidden_size, base, fit, cores)
