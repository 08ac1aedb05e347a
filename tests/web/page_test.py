# SPDX-License-Identifier: Apache-2.0
"""Tests the page in headless Chromium: python3 page_test.py SITE ROWS.tsv LOGITS.tsv [SCREENSHOTS].

SITE is what `make web` has built, ROWS a file with a column sentence, LOGITS what `evaluate --logits` says of it.
SCREENSHOTS is a folder for pictures of the page. Prints what was measured. Exit code 77 without a Chromium: skipped."""
import csv
import sys
import time

import chromium
import page_checks
import site_server


def read(path, **options):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE, **options))


def main(site, rows_file, logits_file, screenshots=None):
    program = chromium.find()
    if program is None:
        print("skipped: there is no Chromium here; CHROMIUM=PATH names one")
        return 77
    header, *rows = read(rows_file)
    texts = [row[header.index("sentence")] for row in rows]
    logits = [[float(x) for x in row] for row in read(logits_file)]
    page_checks.expect(len(texts) == len(logits), f"{len(texts)} rows, but {len(logits)} logits")

    failed = 0

    def check(function, *arguments):
        nonlocal failed
        start = time.monotonic()
        try:
            function(browser, *arguments)
            print(f"ok {function.__name__}, {time.monotonic() - start:.1f} s", flush=True)
        except (AssertionError, RuntimeError, TimeoutError) as error:
            failed += 1
            print(f"FAILED {function.__name__}: {error}", flush=True)

    with chromium.Chromium(program) as browser, site_server.Site(site) as server:
        print(browser.call("Browser.getVersion")["product"])
        browser.look(1280)
        page_checks.load(browser, server.url)
        check(page_checks.served_with_types, server.url)
        check(page_checks.answers_as_evaluate, texts, logits)
        check(page_checks.fits_a_phone)
        check(page_checks.is_readable)
        check(page_checks.is_read_aloud)
        check(page_checks.bears_any_text)
        check(page_checks.asks_of_a_pair)
        check(page_checks.refuses_bad_files, site)
        check(page_checks.works_by_keyboard, server.url)
        check(page_checks.nothing_complains)
        if screenshots is not None:
            check(page_checks.take_screenshots, server.url, screenshots)
        check(page_checks.says_what_is_missing, site)
        check(page_checks.works_offline, server)
    with chromium.Chromium(program) as browser, site_server.Site(site) as server:
        check(page_checks.takes_a_new_version, server, site)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
