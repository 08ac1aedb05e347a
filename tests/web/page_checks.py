# SPDX-License-Identifier: Apache-2.0
"""What page_test.py checks: each function takes the browser, with the page open, and raises where something is wrong."""
import json
import math
import os
import pathlib
import statistics
import tempfile
import time
import urllib.request

import site_server

READY = "document.getElementById('submit')?.disabled === false"
ALERT = "(a => a.hidden ? '' : a.textContent)(document.getElementById('alert'))"
KEPT = "document.getElementById('offline').textContent.startsWith('yes')"
TIE = 0.1  # of two probabilities
VERSION_AT = 8  # where an edge file has its version


def expect(condition, text):
    if not condition:
        raise AssertionError(text)


def load(browser, url):
    """Opens the page and waits until a text can be classified."""
    browser.open("about:blank")
    browser.open(url)
    browser.wait(f"{READY} || {ALERT} !== ''")
    expect(browser.run(READY), browser.run(ALERT))
    browser.run(pathlib.Path(__file__).with_name("in_page.js").read_text(encoding="utf-8") + "; 0")


def say(browser, text):
    """Types a text into the empty box as a user does, and presses Enter."""
    browser.run("document.getElementById('text').focus(); document.getElementById('text').value = ''; 0")
    if text:
        browser.call("Input.insertText", text=text)
    browser.press("Enter", "\r")


def texts_of(browser, ids):
    return browser.run(f"{json.dumps(ids)}.map(id => document.getElementById(id).innerText).join('\\n')")

def served_with_types(_, url):
    for name, kind in (("", "text/html"), ("app.js", "text/javascript"), ("espalier.wasm", "application/wasm"),
                       ("manifest.webmanifest", "application/manifest+json")):
        with urllib.request.urlopen(url + name) as answer:
            expect(answer.headers["Content-Type"] == kind, f"{name} is {answer.headers['Content-Type']}, not {kind}")


def nothing_complains(browser):
    bad = [event["params"] for event in browser.events
           if event.get("method") == "Runtime.exceptionThrown" or
           event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"]
    expect(not bad, f"the console says {bad}")
    outside = [event["params"]["request"]["url"] for event in browser.events
               if event.get("method") == "Network.requestWillBeSent" and
               not event["params"]["request"]["url"].startswith(("http://127.0.0.1", "about:"))]
    expect(not outside, f"the page asks for {outside}")


def answers_as_evaluate(browser, rows, logits):
    """The label of every row; the latency of one text alone. Where the two best probabilities differ by less than TIE,
    either may win: an int8 input in the middle between two integers is rounded up or down as real numbers were added,
    which differs between instruction sets of one machine, too."""
    different, ties, worst, times = [], 0, 0.0, []
    for begin in range(0, len(rows), 100):
        answers = browser.run(f"checks.answer({json.dumps(rows[begin:begin + 100])})")
        for text, row, (label, scores, milliseconds) in zip(rows[begin:], logits[begin:], answers):
            powers = [math.exp(x - max(row)) for x in row]
            probabilities = [power / sum(powers) for power in powers]
            worst = max(worst, *(abs(p - s) for p, s in zip(probabilities, scores)))
            times.append(milliseconds)
            if label != row.index(max(row)):
                first, second = sorted(probabilities)[:-3:-1]
                ties += first - second < TIE
                if first - second >= TIE:
                    different.append(text)
    times.sort()
    print(f"   {len(rows) - len(different) - ties} of {len(rows)} rows as evaluate, {ties} ties; largest difference of a probability "
          f"{worst:.2g}; one text: median {statistics.median(times):.2f} ms, p90 {times[len(times) * 9 // 10]:.2f} ms, "
          f"p99 {times[len(times) * 99 // 100]:.2f} ms")
    expect(not different, f"{len(different)} of {len(rows)} rows have other labels than evaluate, first: {different[0:1]}")


def fits_a_phone(browser):
    browser.look(360)
    for text in ("a warm , funny film .", "Llanfair" * 40):
        browser.run(f"checks.answer([{json.dumps(text)}])")
        width = browser.run("document.documentElement.scrollWidth")
        expect(width <= 360, f"the page is {width} px wide on a screen of 360 px")
    small = browser.run("[...document.querySelectorAll('button, input, textarea')].filter(e => e.checkVisibility()"
                        " && e.getBoundingClientRect().height < 40).map(e => e.id || e.textContent)")
    expect(not small, f"too low for a finger: {small}")
    browser.look(1280)


def is_readable(browser):
    for dark in (False, True):
        browser.look(1280, dark=dark)
        say(browser, "")  # so that the alert is there, too
        browser.wait(f"{ALERT} !== ''")
        faint = browser.run("checks.faint()")
        expect(not faint, f"contrast below 4.5 in the {'dark' if dark else 'light'}: {faint}")
    browser.look(1280, still=True)
    moving = browser.run("[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length")
    expect(moving == 0, f"{moving} elements move although reduced motion is asked for")
    browser.look(1280)


def works_by_keyboard(browser, url):
    load(browser, url)
    reached = []
    for _ in range(40):
        browser.press("Tab")
        focus = browser.run("checks.focus()")
        if focus["tag"] == "BODY":
            break
        expect(focus["seen"], f"the focus on {focus['name']} cannot be seen")
        reached.append(focus["name"])
    everything = browser.run("[...document.querySelectorAll('a, button, textarea, summary, input')]"
                             ".filter(e => e.checkVisibility()).map(e => e.id || e.textContent.trim().slice(0, 30))")
    expect(reached == everything, f"Tab reaches {reached}, expected {everything}")

    say(browser, "a tedious waste of two hours .")
    browser.wait("document.querySelectorAll('#tokens li').length > 2")
    browser.run("document.querySelector('#tokens').replaceChildren(); 0")
    browser.run("document.getElementById('submit').focus()")
    browser.press(" ", " ")
    browser.wait("document.querySelectorAll('#tokens li').length > 2")
    browser.run("document.getElementById('text').focus()")
    browser.press("Enter", "\r", modifiers=8)
    expect(browser.run("document.getElementById('text').value.includes('\\n')"), "Shift+Enter begins no new line")


def is_read_aloud(browser):
    nodes = [node for node in browser.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    roles = {}
    for node in nodes:
        properties = {p["name"]: p["value"].get("value") for p in node.get("properties", [])}
        name = node.get("name", {}).get("value", "").strip()
        role = node.get("role", {}).get("value", "")
        roles.setdefault(role, []).append(name)
        expect(name or not properties.get("focusable") or role in ("RootWebArea", "generic"), f"a {role} has no name")
    for role, name in (("heading", "Espalier"), ("heading", "Result"), ("textbox", "Text"), ("button", "Classify"),
                       ("form", "Text to classify"), ("list", "Examples"), ("list", "Tokens"),
                       ("button", "Open another model file")):
        expect(any(found.startswith(name) for found in roles.get(role, [])), f"no {role} {name}; there are {roles.get(role)}")
    expect(browser.run("document.documentElement.lang") == "en", "the page names no language")
    live = [node for node in nodes for p in node.get("properties", [])
            if p["name"] == "live" and p["value"]["value"] == "polite"]
    expect(live, "no region tells of the result")


def bears_any_text(browser):
    """Texts at the edge, and what the page has to say of them."""
    cases = (("", "is empty"), ("  \t ", "is empty"),
             (" ".join(["word"] * 10000), "10,002 tokens"), ("🎬🍿 wonderful 👍🏽", "[UNK]"),
             ("half of an emoji \ud83d here", "lone surrogate"), ("\u0000\u0007", ""), ("Ünïcödé 中文 עברית", ""))
    for text, words in cases:
        browser.run("document.getElementById('result').querySelectorAll('ul').forEach(u => u.replaceChildren()); 0")
        browser.run(f"document.getElementById('text').value = {json.dumps(text)};"
                    "document.getElementById('form').requestSubmit()")
        browser.wait(f"{ALERT} !== '' || document.querySelectorAll('#scores li').length > 0")
        seen = texts_of(browser, ["result", "alert"])
        expect(words in seen, f"{text[:30]!r} gives {seen!r}, expected “{words}” in it")
        if words == "is empty":
            expect(browser.run("document.activeElement.id") == "text", "the focus is not where the text is missing")


def asks_of_a_pair(browser):
    browser.run("document.querySelector('summary').click(); document.getElementById('second').value = 'a b'; 0")
    browser.run("checks.answer(['c'])")
    words = browser.run("[...document.querySelectorAll('#tokens li')].map(li => li.textContent)")
    expect(words == ["[CLS]", "c", "[SEP]", "a", "b", "[SEP]"], f"the tokens of a pair are {words}")
    long = json.dumps(" ".join(["a"] * 1000))
    browser.run(f"document.getElementById('second').value = {long}; checks.answer([{long}])")
    browser.wait("document.getElementById('notes').textContent.includes('2,003 tokens')")
    browser.run("document.getElementById('second').value = ''; document.querySelector('summary').click(); 0")


def refuses_bad_files(browser, site):
    """Files that are no model: what is wrong, in words; the model before stays."""
    model = pathlib.Path(site, json.loads(pathlib.Path(site, "model.json").read_text(encoding="utf-8"))["file"])
    good = model.read_bytes()
    flipped, newer = bytearray(good), bytearray(good)
    flipped[len(good) // 2] ^= 4
    newer[VERSION_AT] += 1
    with tempfile.TemporaryDirectory() as folder:
        for name, data, words in (("wrong.edge", b"\x89PNG\r\n" + bytes(5000), "edge"), ("empty.edge", b"", "empty"),
                                  ("cut.edge", good[:len(good) // 2], ""), ("tail.edge", good[:-1], ""),
                                  ("flipped.edge", bytes(flipped), ""), ("newer.edge", bytes(newer), "version")):
            path = pathlib.Path(folder, name)
            path.write_bytes(data)
            give_file(browser, path)
            browser.wait(f"{ALERT} !== '' && {READY}")
            told = browser.run(ALERT)
            print(f"   {told}")
            expect(told.startswith(name) and words in told and len(told) < 400, f"{name}: {told}")
        for name, give in (("chosen.edge", give_file), ("dropped.edge", drop_file)):
            path = pathlib.Path(folder, name)
            path.write_bytes(good)
            give(browser, path)
            browser.wait(f"document.getElementById('model-name').textContent === '{name}' && {READY}")
            expect(browser.run(ALERT) == "", "a good file after bad ones gives an alert")


def give_file(browser, path):
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    field = browser.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    browser.run("document.getElementById('alert').hidden = true")
    browser.call("DOM.setFileInputFiles", nodeId=field, files=[str(path)])


def drop_file(browser, path):
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.call("Input.dispatchDragEvent", type=kind, x=200, y=200,
                     data={"items": [], "files": [str(path)], "dragOperationsMask": 1})


def says_what_is_missing(browser, site):
    simd = pathlib.Path(site, "worker.js").read_text(encoding="utf-8").replace("const SIMD = [0, ", "const SIMD = [1, ")
    for instead, words in (({"worker.js": simd.encode()}, "lacks WebAssembly SIMD"), ({"model.json": None}, "404"),
                           ({"espalier.wasm": None}, "404"), ({"worker.js": None}, "cannot be started"),
                           ({"espalier.wasm": b"\0asm"}, "espalier.wasm")):
        with site_server.Site(site, instead) as other:
            browser.open(other.url)
            browser.wait(f"{ALERT} !== ''")
            told = browser.run(ALERT)
            expect(words in told, f"{instead.keys()}: {told}")


def works_offline(browser, server):
    load(browser, server.url)
    browser.wait(KEPT)
    server.stop()
    load(browser, server.url)
    expect(browser.run("checks.answer(['a warm , funny film .'])"), "no answer offline")


def takes_a_new_version(browser, server, site):
    """What was kept gives way to the files of a new version when the page is opened the second time."""
    load(browser, server.url)
    browser.wait(KEPT)
    server.stop()
    new = {name: pathlib.Path(site, name).read_text(encoding="utf-8") for name in ("service_worker.js", "index.html")}
    new["service_worker.js"] = new["service_worker.js"].replace("const VERSION = '", "const VERSION = 'new-")
    new["index.html"] = new["index.html"].replace("<h1>Espalier", "<h1>New")
    new[""] = new["index.html"]
    with site_server.Site(site, {name: text.encode() for name, text in new.items()}, server.port):
        load(browser, server.url)
        browser.wait("navigator.serviceWorker.getRegistration().then(r => r.waiting !== null)")
        browser.open("about:blank")
        time.sleep(1)  # the browser sees that the old version is not used any more
        load(browser, server.url)
        expect(browser.run("document.querySelector('h1').textContent") == "New", "the old version stays")
        expect(browser.run("caches.keys()") == ["espalier-new-" + version_of(site)], "the old version's files are kept")


def version_of(site):
    return pathlib.Path(site, "service_worker.js").read_text(encoding="utf-8").split("const VERSION = '")[1].split("'")[0]


def take_screenshots(browser, url, folder):
    for width in (1280, 360):
        for dark in (False, True):
            browser.look(width, dark=dark, still=True)
            load(browser, url)
            browser.wait(KEPT)
            browser.run("document.getElementById('install').hidden = true; document.querySelector('#examples button').click()")
            browser.wait("document.querySelectorAll('#scores li').length > 0")
            browser.screenshot(os.path.join(folder, f"browser-{width}{'-dark' if dark else ''}.png"))
    browser.look(1280)
