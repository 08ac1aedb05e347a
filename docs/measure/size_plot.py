# SPDX-License-Identifier: Apache-2.0
"""Draws docs/accuracy_over_size.svg, accuracy over file size, from the table "Zen 4" of docs/results/INFERENCE.md.

usage: python3 docs/measure/size_plot.py"""
import math, os

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
COLOURS = {"PyTorch": "#d62728", "ONNX Runtime": "#b8860b", "Espalier": "#1f77b4"}
# Labels of the rows, and where they stand: offset of the text from the point and its anchor. Rows with an empty label share another row's point.
LABELS = {
    "PyTorch f32": ("all three, f32", 0, -14, "middle"),
    "ONNX Runtime f32": ("", 0, 0, ""),
    "Espalier f32": ("", 0, 0, ""),
    "PyTorch dynamic int8": ("dynamic int8", 0, 22, "middle"),
    "ONNX Runtime dynamic int8": ("dynamic int8", 10, 16, "start"),
    "Espalier dynamic int8": ("dynamic int8", 0, 22, "middle"),
    "Espalier static int8": ("static int8", 0, -12, "middle"),
    "Espalier recipe int8": ("", 0, 0, ""),
    "Espalier dynamic int8, int8 embeddings": ("int8, also of the embeddings", 0, -12, "middle"),
    "Espalier recipe structured-int8": ("half of the work, int8", -10, 18, "middle"),
    "Espalier recipe student3": ("three layers, f32", 0, 22, "middle"),
    "Espalier recipe student3-structured-int8": ("three layers, half of the neurons, 8 and 4 bits", -8, 22, "start"),
}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 62, 30, 70, 52
SMALLEST, LARGEST, LEAST, MOST = 6, 110, 87, 91


def rows():
    """(name, accuracy in percent, MB) of each row that has a file."""
    lines = open(os.path.join(DOCS, "results", "INFERENCE.md"), encoding="utf8").read().split("## Zen 4")[1].split("\n\n")
    table = next(part for part in lines if part.startswith("| model |"))
    for line in table.splitlines()[2:]:
        name, accuracy, file = [cell.strip() for cell in line.strip("|").split("|")][:3]
        if file:
            yield name.replace(", recipe", " recipe"), float(accuracy), float(file.removesuffix(" MB"))


def x_of(megabytes):
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log(megabytes / SMALLEST) / math.log(LARGEST / SMALLEST)


def y_of(accuracy):
    return TOP + (HEIGHT - TOP - BOTTOM) * (MOST - accuracy) / (MOST - LEAST)


def text(x, y, words, anchor="middle", colour="#333", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{more}>{words}</text>'


out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">', '<rect width="100%" height="100%" fill="white"/>']
for accuracy in range(LEAST, MOST + 1):
    out.append(f'<line x1="{LEFT}" y1="{y_of(accuracy):.1f}" x2="{WIDTH - RIGHT}" y2="{y_of(accuracy):.1f}" stroke="#ddd"/>')
    out.append(text(LEFT - 8, y_of(accuracy) + 4, f"{accuracy} %", "end"))
for megabytes in (10, 20, 50, 100):
    out.append(f'<line x1="{x_of(megabytes):.1f}" y1="{TOP}" x2="{x_of(megabytes):.1f}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
    out.append(text(x_of(megabytes), HEIGHT - BOTTOM + 20, f"{megabytes} MB"))
out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "size of the model file (logarithmic)"))
out.append(text(LEFT, 24, "MiniLM on SST-2: dev accuracy over file size", "start", more=' font-size="15" font-weight="bold"'))
for i, (peer, colour) in enumerate(COLOURS.items()):
    out.append(f'<circle cx="{LEFT + 6 + 140 * i}" cy="44" r="6" fill="{colour}"/>' + text(LEFT + 18 + 140 * i, 49, peer, "start"))
for name, accuracy, megabytes in rows():
    label, dx, dy, anchor = LABELS[name]
    colour = next(c for peer, c in COLOURS.items() if name.startswith(peer))
    x, y = x_of(megabytes), y_of(accuracy)
    if label:
        out.append(text(x + dx, y + dy, label, anchor, "#333" if label.startswith("all") else colour))
    out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}" fill-opacity="0.85"/>')
with open(os.path.join(DOCS, "accuracy_over_size.svg"), "w", encoding="utf8") as file:
    file.write("\n".join(out) + "\n</svg>\n")
