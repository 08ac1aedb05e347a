# SPDX-License-Identifier: Apache-2.0
"""Latency of one sentence alone in headless Chromium and in the library on AVX2 with one thread, measured in turns.
Each of the dev sentences is asked once a round; the fastest of its rounds counts, so that what else the machine does
matters little. Prints the table of docs/BROWSER.md. `make web` builds the page before."""
import ctypes, json, os, statistics, sys, tempfile, time
import programs

p = programs.parser(__doc__, "data", "rounds")
p.add_argument("models", nargs="+", metavar="FILE.h5", help="models, a row each")
p.add_argument("--isa", default="avx2", help="instruction set of the library (default avx2)")
a = p.parse_args()
os.environ["ESPALIER_ISA"] = a.isa

sys.path.insert(0, os.path.join(programs.ROOT, "tests", "web"))
import chromium, page_checks, site_server

SITE = os.path.join(programs.ROOT, "build-web", "site")
LIBRARY = ctypes.CDLL(os.path.join(a.build, "apps", "libespalier.so"))
SENTENCES = [line.split("\t")[0] for line in open(os.path.join(a.data, "dev.tsv"), encoding="utf8")][1:]


class Native:
    """An edge file in the library."""

    def __init__(self, path):
        self.handle = ctypes.c_void_p()
        LIBRARY.espalier_set_threads(1)
        if LIBRARY.espalier_open(path.encode(), None, ctypes.byref(self.handle)) != 0:
            sys.exit(ctypes.string_at(LIBRARY.espalier_error()).decode())

    def times(self):
        result = []
        for text in (sentence.encode() for sentence in SENTENCES):
            start = time.perf_counter()
            LIBRARY.espalier_classify(self.handle, text, ctypes.c_size_t(len(text)), None, None)
            result.append(1000 * (time.perf_counter() - start))
        return result


def row(name, path):
    data = open(path, "rb").read()
    described = json.dumps({"file": "model.edge", "name": name, "size": len(data)}).encode()
    native, rounds = Native(path), []
    with chromium.Chromium(chromium.find(), 600) as browser, \
            site_server.Site(SITE, {"model.edge": data, "model.json": described}) as site:
        page_checks.load(browser, site.url)
        for _ in range(a.rounds):
            answers = browser.run(f"checks.answer({json.dumps(SENTENCES)})")
            rounds.append((native.times(), [milliseconds for _, _, milliseconds in answers]))
    here, there = (sorted(map(min, zip(*times))) for times in zip(*rounds))
    ratio = statistics.median(there) / statistics.median(here)
    print(f"| {name} | {len(data) / 1e6:.1f} MB | {statistics.median(here):.2f} | {statistics.median(there):.2f} | "
          f"{there[len(there) * 9 // 10]:.2f} | {ratio:.1f} × |", flush=True)


print(f"| model | file | {a.isa}, median ms | Chromium, median ms | p90 | Chromium to {a.isa} |\n|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory() as work:
    for model in a.models:
        name = os.path.splitext(os.path.basename(model))[0]
        path = os.path.join(work, name + ".edge")
        programs.run(a.build, "export", "--model", model, "--format", "edge", "--output", path)
        row(name, path)
