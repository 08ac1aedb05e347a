// SPDX-License-Identifier: Apache-2.0
// What the page looks like, and the script that sorts its tables. Neither has '<' or '&', which XML would read as its
// own.
#pragma once

namespace espalier {

constexpr const char* page_style = R"(
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --line: #d0d7de; --band: #f3f5f7;
  --focus: #0b62a8; --fill: #cfe3f5; --front: #57606a;
  --c0: #0b62a8; --c1: #b5490e; --c2: #11734f; --c3: #8a3ea0; --c4: #8a6100; --c5: #b3205f;
  --c6: #2f6874; --c7: #5a5a5a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a3adb8; --paper: #14181d; --line: #3a424c;
  --band: #1d232a; --focus: #6cb4f5; --fill: #24415c; --front: #a3adb8;
  --c0: #6cb4f5; --c1: #ff9d6b; --c2: #5fd3a3; --c3: #d59bf0; --c4: #e8c45a; --c5: #ff8fbf;
  --c6: #8fc7d8; --c7: #c8c8c8; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink);
  background: var(--paper);
  margin: 0 auto; padding: 1rem clamp(1rem, 3vw, 2.5rem) 3rem; max-width: 90rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; border-top: 1px solid var(--line); padding-top: 1rem; }
h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
p, li { max-width: 75ch; margin: .4rem 0; }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; }
nav li { margin: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; margin: .6rem 0; list-style: none; }
a { color: var(--focus); }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; border: 1px solid var(--line); border-radius: 6px; }
.scroll.capped { max-height: 36rem; overflow-y: auto; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; font-size: .9rem;
  width: 100%; }
caption { padding: .4rem .7rem; }
th, td { padding: .35rem .7rem; text-align: right; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; background: var(--band); vertical-align: bottom; white-space: normal; min-width: 4.2rem; }
tbody th, thead th:first-child { text-align: left; }
tbody th { font-weight: 600; }
tbody th, thead th:first-child { position: sticky; left: 0; background: var(--band);
  max-width: 13rem; white-space: normal;
  min-width: min(11rem, 36vw); overflow-wrap: anywhere; }
.capped thead th { position: sticky; top: 0; z-index: 1; }
td.words { white-space: normal; min-width: 16rem; text-align: start; }
td.wrong { text-decoration: underline wavy var(--c1); text-underline-offset: 3px; }
td.share { background: linear-gradient(to right, var(--fill) var(--share), transparent var(--share)); }
td.diagonal { background: var(--fill); font-weight: 600; }
th button { all: unset; cursor: pointer; font: inherit; }
th button:focus-visible { outline: 3px solid var(--focus); }
th button::after { content: " \2195"; color: var(--soft); }
th[aria-sort="ascending"] button::after { content: " \2191"; color: var(--ink); }
th[aria-sort="descending"] button::after { content: " \2193"; color: var(--ink); }
.figures { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); }
.matrices { display: grid; gap: 0 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
figure { margin: .6rem 0; min-width: 0; }
svg { display: block; width: 100%; height: auto; max-width: 48rem; }
.narrow { display: none; }
@media (max-width: 600px) { td.words { min-width: 12rem; } .wide { display: none; } .narrow { display: block; } }
svg text { font-size: 12px; fill: var(--ink); unicode-bidi: isolate; }
svg .tick { fill: var(--soft); }
svg .axis-title { fill: var(--ink); }
svg .axis { stroke: var(--soft); }
svg .grid { stroke: var(--line); }
svg .leader { stroke: var(--soft); stroke-dasharray: 2 2; }
svg .front { fill: none; stroke: var(--front); stroke-width: 1.5; stroke-dasharray: 6 4; }
svg .area { fill: var(--c); stroke: none; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
svg .bar { stroke: var(--c); stroke-width: 1.5; opacity: .6; }
svg .point { fill: var(--c); stroke: var(--paper); }
svg .name { fill: var(--c); font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
svg .curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; }
svg .d1 { stroke-dasharray: 7 3; } svg .d2 { stroke-dasharray: 2 3; }
svg .point.d1, svg .point.d2 { stroke-dasharray: none; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .4rem 0; list-style: none;
  font-size: .9rem; }
.legend li::before { content: ""; display: inline-block; width: 1.4em; height: .35em; margin-right: .45em;
  vertical-align: middle;
  background: var(--c); }
@media print { .scroll { overflow: visible; max-height: none; } body { max-width: none; } }
)";

// Each column heading becomes a button: first the largest on top, then the smallest.
constexpr const char* page_script = R"(
document.querySelectorAll("table.sortable").forEach(table => {
  const headings = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.ariaSort === "descending";
      headings.forEach(other => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent;
      const rows = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), undefined, {numeric: true}));
      const numbers = [...body.rows].every(row => row.cells[column].dataset.key !== undefined);
      if (numbers) rows.sort((a, b) => key(a) - key(b));
      body.append(...(up ? rows : rows.reverse()));
    });
  });
});
)";

}  // namespace espalier
