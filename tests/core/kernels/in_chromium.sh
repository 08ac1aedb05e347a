#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# in_chromium.sh TESTS.js DOTS.wasm: runs a test program of one file, made by Emscripten, in headless Chromium, where
# relaxed SIMD is as the standard has it, and prints what it prints. It must pass, and use DOTS.wasm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  echo '<!doctype html><meta charset="utf-8"><pre></pre><script>'
  echo 'const print = text => document.querySelector("pre").append(text + "\n");'
  echo "const dots = Uint8Array.from(atob('$(base64 -w 0 "$2")'), c => c.charCodeAt(0));"
  echo 'var Module = {print, printErr: print, int8Dots: new WebAssembly.Module(dots)};</script><script>'
  cat "$1"
  echo '</script>'
} >"$folder/page.html"
timeout 300 chromium --headless=new --no-sandbox --user-data-dir="$folder/profile" --virtual-time-budget=1000000 \
  --dump-dom "file://$folder/page.html" 2>/dev/null | sed -n '/<pre>/,/<\/pre>/p' | tee "$folder/printed"
grep -q PASSED "$folder/printed"
if grep -q FAILED "$folder/printed"; then exit 1; fi
grep -q 'OK.*/relaxed' "$folder/printed"
