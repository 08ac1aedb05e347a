// SPDX-License-Identifier: Apache-2.0
// espalier.h in JavaScript: a model's bytes in; text in; label, scores and tokens out.

// What the wasm is given: nothing but 1, "cannot be had", where it asks for environment variables, and no more where it
// tells that its memory has grown. What else the C library names is for programs that end.
const GIVEN = { emscripten_notify_memory_growth: () => {}, environ_sizes_get: () => 1, environ_get: () => 1 };

function surroundings(module, given) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new Error(`the runtime asks for ${from}.${name}, which is no function`);
    imports[from] ??= {};
    imports[from][name] = given[name] ?? (() => {
      throw new Error(`the runtime has stopped (${name}); please load the page again`);
    });
  }
  return imports;
}

export class Runtime {
  // dots: int8_dots.wasm, or null where the browser lacks relaxed SIMD. It works in the memory of the runtime, which
  // asks for it once (core/kernels/gemm_int8_relaxed.cpp).
  static async start(module, dots) {
    let exports, product;
    const given = {
      ...GIVEN,
      espalier_start_int8_dots(stack_end) {
        if (dots === null) return 0;
        const instance = new WebAssembly.Instance(dots, { env: { memory: exports.memory } });
        instance.exports.__stack_pointer.value = stack_end;
        product = instance.exports.int8_dots;
        return 1;
      },
      espalier_int8_dots: (at) => product(at),
    };
    ({ exports } = await WebAssembly.instantiate(module, surroundings(module, given)));
    exports._initialize();
    return new Runtime(exports);
  }

  constructor(exports) { this.c = exports; }

  version() { return this.text(this.c.espalier_version()); }

  // A place for `size` bytes in the runtime's memory, at a multiple of 64, which models want. The caller frees it.
  place(size) {
    const at = this.c.aligned_alloc(64, 64 * Math.ceil((size + 1) / 64)) >>> 0;  // C wants a multiple of 64
    if (at === 0) throw new Error(`out of memory: the browser has no ${(size / 1e6).toFixed(1)} MB to spare`);
    return at;
  }

  free(at) { this.c.free(at); }

  // To be asked for anew after every call: memory that grows is another one.
  bytes(at, size) { return new Uint8Array(this.c.memory.buffer, at, size); }

  text(at) {
    if (at === 0) return '';
    const all = new Uint8Array(this.c.memory.buffer);
    let end = at;
    while (all[end] !== 0) ++end;
    return new TextDecoder().decode(all.subarray(at, end));
  }

  // Throws what espalier_error says.
  check(code) { if (code !== 0) throw new Error(this.text(this.c.espalier_error())); }

  // Calls use(at, size) with the text as UTF-8. Half a surrogate pair becomes U+FFFD.
  with_text(text, use) {
    const utf8 = new TextEncoder().encode(text);
    const at = this.place(utf8.length);
    try {
      this.bytes(at, utf8.length).set(utf8);
      return use(at, utf8.length);
    } finally { this.free(at); }
  }
}

export class Model {
  // Takes the `size` bytes at `at`, which it frees: on failure at once.
  constructor(runtime, at, size) {
    this.runtime = runtime;
    this.at = at;
    const out = runtime.place(4);
    try {
      runtime.check(runtime.c.espalier_open_memory(at, size, 0, out));
      [this.handle] = new Uint32Array(runtime.c.memory.buffer, out, 1);
    } catch (error) {
      runtime.free(at);
      throw error;
    } finally { runtime.free(out); }
    const count = runtime.c.espalier_label_count(this.handle);
    this.max_length = runtime.c.espalier_max_length(this.handle);
    this.task = runtime.text(runtime.c.espalier_task(this.handle));
    this.labels = Array.from({ length: count }, (_, i) => runtime.text(runtime.c.espalier_label_name(this.handle, i)));
  }

  close() {
    this.runtime.c.espalier_close(this.handle);
    this.runtime.free(this.at);
  }

  // {scores, label, milliseconds}; second may be null. label is -1 unless one class is chosen.
  classify(first, second) {
    const { c } = this.runtime;
    const count = this.labels.length;
    const out = this.runtime.place(8 * count + 4);
    try {
      const ask = (a, n, b, m) => second === null ? c.espalier_classify(this.handle, a, n, out, out + 8 * count)
        : c.espalier_classify_pair(this.handle, a, n, b, m, out, out + 8 * count);
      return this.runtime.with_text(first, (a, n) => this.runtime.with_text(second ?? '', (b, m) => {
        const start = performance.now();
        const code = ask(a, n, b, m);
        const milliseconds = performance.now() - start;
        this.runtime.check(code);
        const view = new DataView(c.memory.buffer, out);
        const scores = this.labels.map((_, i) => view.getFloat64(8 * i, true));
        return { scores, label: view.getInt32(8 * count, true), milliseconds };
      }));
    } finally { this.runtime.free(out); }
  }

  // What the model reads of a text, or of a pair: {words, count, kept}, the words with [CLS] and [SEP]. `count` tokens
  // are in the texts, of which the last are cut where the model reads fewer: those of the longer text first.
  tokens(first, second) {
    const room = this.max_length - (second === null ? 2 : 3);
    const parts = [first, second].filter((text) => text !== null).map((text) => this.pieces(text, room));
    const kept = parts.map((part) => part.count);
    const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
    while (sum(kept) > room) --kept[kept.length > 1 && kept[1] >= kept[0] ? 1 : 0];
    const words = ['[CLS]', ...parts.flatMap((part, i) => [...part.words.slice(0, kept[i]), '[SEP]'])];
    return { words, count: sum(parts.map((part) => part.count)) + words.length - sum(kept), kept: words.length };
  }

  // The tokens of one text without [CLS] and [SEP]: how many there are, and up to `most` of them in words.
  pieces(text, most) {
    const { c } = this.runtime;
    const capacity = most + 1;  // one more for [CLS]
    const out = this.runtime.place(4 * capacity + 4);
    try {
      this.runtime.with_text(text, (at, size) =>
        this.runtime.check(c.espalier_tokens(this.handle, at, size, out, capacity, out + 4 * capacity)));
      const count = new Uint32Array(c.memory.buffer, out + 4 * capacity, 1)[0] - 2;
      const ids = Array.from(new Int32Array(c.memory.buffer, out + 4, Math.min(count, most)));
      return { count, words: ids.map((id) => this.runtime.text(c.espalier_token_text(this.handle, id))) };
    } finally { this.runtime.free(out); }
  }
}
