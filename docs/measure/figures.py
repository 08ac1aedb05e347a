# SPDX-License-Identifier: Apache-2.0
"""The table "The figures to reach" of docs/results/INFERENCE.md, from what inference.py has found."""

MANY, ONE = 1, 2  # columns of what an Entry measures
PEER = {"AMX": 1.5, "AVX-512 VNNI": 1.5, "AVX2": 1.3}
WANTED = {  # by machine; the others are the same everywhere
    "int8 many": PEER,
    "int8 one": {"AMX": 1.4, "AVX-512 VNNI": 1.5, "AVX2": 1.3},
    "real": {"AMX": 1.3, "AVX-512 VNNI": 1.3, "AVX2": 1.2},
    "own": {"AMX": 6, "AVX-512 VNNI": 4, "AVX2": 2},
}


def against_peer(model, kind, column):
    """(ratio, text) of Espalier's to the best peer's of this kind; None where one of them was not measured."""
    ours = model.found.get("Espalier static int8" if kind == "int8" else f"Espalier {kind}")
    peers = [e.name for e in model.entries if e.kind == kind and not e.name.startswith("Espalier")]
    if not ours or not peers:
        return None
    best = max(peers, key=lambda name: model.found[name][column])
    ratio = ours[column] / model.found[best][column]
    return ratio, f"{ratio:.2f} × ({ours[column]:.0f} to {model.found[best][column]:.0f}, {best})"


def against_own(model, name, dense):
    ours, other = model.found.get(name), model.found.get(dense)
    if not ours or not other:
        return None
    ratio = ours[MANY] / other[MANY]
    return ratio, f"{ratio:.2f} × ({ours[MANY]:.0f} to {other[MANY]:.0f})"


def of_promise(model, entry):
    """How much of the speed that its work promises a shrunk model has."""
    length = model.sentences.tokens_each()
    promise = model.own.work_of(model.own.hf, length) / model.own.work_of(entry.file, length)
    speedup = model.found[entry.name][MANY] / model.found["Espalier static int8" if "int8" in entry.kind else "Espalier f32"][MANY]
    return speedup / promise, f"{100 * speedup / promise:.0f} % ({speedup:.2f} × of {promise:.2f} ×)"


def start(model, column):
    file = next((e.file for e in model.entries if e.name == "Espalier static int8" + (", int8 embeddings" if column == 1 else "")), None)
    if file is None:
        return None
    value = model.own.start(file)[column]
    return value, f"{value:.0f} {('ms', 'MB')[column]}"


def print_figures(machine, models):
    """A row for each figure, a column for each model; what reaches its figure is bold."""

    def row(work, wanted, of, least=True):
        cells = []
        for found in map(of, models):
            reached = found and (found[0] >= wanted if least else found[0] <= wanted)
            cells.append("not measured" if not found else f"**{found[1]}**" if reached else found[1])
        return work, cells

    def line(work, wanted, cells):
        print(f"| {work} | {wanted} | {' | '.join(cells)} |")

    def print_row(work, wanted, of, unit="{} ×", least=True):
        line(work, unit.format(wanted), row(work, wanted, of, least)[1])

    line("work", "to reach", [m.name for m in models])
    print("|---|---|" + "---|" * len(models))
    by = {name: of[machine] for name, of in WANTED.items()}
    for column, name in ((MANY, "batch 32"), (ONE, "one by one")):
        print_row(f"int8, {name}, vs the best peer", by["int8 many" if column == MANY else "int8 one"], lambda m: against_peer(m, "int8", column))
    for kind in ("f32", "bf16"):
        for column, name in ((MANY, "batch 32"), (ONE, "one by one")):
            print_row(f"{kind}, {name}, vs the best peer", by["real"], lambda m: against_peer(m, kind, column))
    print_row("int8 vs own f32, batch 32", by["own"], lambda m: against_own(m, "Espalier static int8", "Espalier f32"))
    print_row("int8 with 80 % of blocks zero vs dense int8, batch 32", 2, lambda m: against_own(m, "Espalier static int8, 80 % of blocks zero", "Espalier static int8"))
    for name in dict.fromkeys(e.name for m in models for e in m.entries if e.kind.startswith("shrunk")):
        entries = [next((e for e in m.entries if e.name == name), None) for m in models]
        cells = [row(name, 0.85, lambda m: e and of_promise(m, e))[1][i] for i, e in enumerate(entries)]
        line(f"{name} vs dense", "85 % of what its work promises", cells)
    print_row("start to first answer, int8, warm file cache", 150, lambda m: start(m, 0), "≤ {} ms", least=False)
    print_row("peak memory of `predict`, int8 with int8 embeddings", 220, lambda m: start(m, 1), "≤ {} MB", least=False)
