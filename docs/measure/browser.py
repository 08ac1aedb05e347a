# SPDX-License-Identifier: Apache-2.0
"""Latency of one sentence alone in headless Chromium, and of `predict` with one thread, measured in turns, and how many
dev sentences get the same label. Each of the sentences is asked once a round; the fastest of its rounds counts, so that what else the machine does matters
little. Prints the table of docs/BROWSER.md. `make web` builds the page before."""
import json, os, statistics, subprocess, sys, tempfile, time
import programs

p = programs.parser(__doc__, "data", "rounds")
p.add_argument("models", nargs="+", metavar="FILE.h5", help="models, a row each")
p.add_argument("--isa", default="avx2", help="instruction set of predict (default avx2)")
a = p.parse_args()

sys.path.insert(0, os.path.join(programs.ROOT, "tests", "web"))
import chromium, page_checks, site_server

SITE = os.path.join(programs.ROOT, "build-web", "site")
SENTENCES = [line.split("\t")[0] for line in open(os.path.join(a.data, "dev.tsv"), encoding="utf8")][1:]


class Native:
    """`predict`, which gets a line when it has answered the one before."""

    def __init__(self, model):
        self.process = subprocess.Popen(
            [os.path.join(a.build, "apps", "predict"), "--model", model, "--threads", "1", "--quiet"], text=True,
            env={**os.environ, "ESPALIER_ISA": a.isa}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def times(self):
        result, self.labels = [], []
        for sentence in SENTENCES:
            start = time.perf_counter()
            self.process.stdin.write(sentence + "\n")
            self.process.stdin.flush()
            self.labels.append(self.process.stdout.readline().split("\t")[0])
            result.append(1000 * (time.perf_counter() - start))
            if not self.labels[-1]:
                sys.exit("predict has ended")
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def row(name, model, path):
    data = open(path, "rb").read()
    described = json.load(open(os.path.join(SITE, "model.json"), encoding="utf8"))
    described = json.dumps({**described, "name": name, "size": len(data)}).encode()
    native, rounds = Native(model), []
    with chromium.Chromium(chromium.find(), 600) as browser, \
            site_server.Site(SITE, {"model.edge": data, "model.json": described}) as site:
        page_checks.load(browser, site.url)
        names = browser.run("document.getElementById('model-labels').textContent").split(", ")
        for _ in range(a.rounds):
            answers = browser.run(f"checks.answer({json.dumps(SENTENCES)})")
            rounds.append((native.times(), [milliseconds for _, _, milliseconds in answers]))
    native.close()
    here, there = (sorted(map(min, zip(*times))) for times in zip(*rounds))
    ratio = statistics.median(there) / statistics.median(here)
    same = sum(names[label] == other for (label, _, _), other in zip(answers, native.labels))
    print(f"| {name} | {len(data) / 1e6:.1f} MB | {same} of {len(SENTENCES)} | {statistics.median(here):.2f} | "
          f"{statistics.median(there):.2f} | {there[len(there) * 9 // 10]:.2f} | {ratio:.1f} × |", flush=True)


print(f"| model | file | same label | {a.isa}, median ms | Chromium, median ms | p90 | Chromium to {a.isa} |\n"
      "|---|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory() as work:
    for model in a.models:
        name = os.path.splitext(os.path.basename(model))[0]
        path = os.path.join(work, name + ".edge")
        programs.run(a.build, "export", "--model", model, "--format", "edge", "--output", path)
        row(name, model, path)
