// SPDX-License-Identifier: Apache-2.0
// The worker behind the page: loads the runtime and a model, and answers. One message is one request; each is answered
// by {id, result} or {id, error}, and {id, progress} in between. Requests are answered in their order.
import { Model, Runtime } from './runtime.js';

let runtime = null;
let model = null;
let instructions = '';  // of WebAssembly

// (module (func (result v128) (i32.const 0) (i8x16.splat) (i8x16.popcnt))): the smallest module with SIMD.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253,
  98, 11];

// The module, or null where the browser cannot compile it.
async function compiled(response) {
  if (!response.ok) throw new Error(`the runtime cannot be loaded: the server says ${response.status}`);
  return WebAssembly.compileStreaming(response.clone()).catch(() => null);
}

// dots: whether there is int8_dots.wasm, which is faster for some models where the browser has relaxed SIMD.
async function start(dots) {
  if (!WebAssembly.validate(new Uint8Array(SIMD)))
    throw new Error('This browser is too old: it lacks WebAssembly SIMD. Chrome 95, Firefox 114 and Safari 16.4 have ' +
      'all that this page needs.');
  const response = await fetch('espalier.wasm');
  const module = await compiled(response);
  if (module === null)
    throw new Error('espalier.wasm cannot be used: it is damaged, the browser is too old, or the server sends it as ' +
      `${response.headers.get('Content-Type')}, not as application/wasm`);
  const relaxed = dots ? await compiled(await fetch('int8_dots.wasm')) : null;
  runtime = await Runtime.start(module, relaxed);
  instructions = relaxed === null ? 'SIMD' : 'relaxed SIMD';
}

// Reads `size` bytes of a stream into the runtime's memory. The returned place belongs to the caller.
async function read(stream, size, name, told) {
  const at = runtime.place(size);
  const reader = stream.getReader();
  let loaded = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (loaded + part.value.length > size) break;
      runtime.bytes(at + loaded, part.value.length).set(part.value);
      loaded += part.value.length;
      told({ loaded, size });
    }
    if (loaded !== size) throw new Error(`${name}: ${loaded} bytes came, expected ${size}; please load the page again`);
  } catch (error) {
    reader.cancel().catch(() => {});
    runtime.free(at);
    throw error;
  }
  return at;
}

function take(at, size, name) {
  let opened;
  try {
    opened = new Model(runtime, at, size);
    opened.classify('', null);  // the browser compiles what answers need, so that the first one does not wait for it
  } catch (error) { throw new Error(`${name}: ${error.message.replace(/^the model: /, '')}`); }
  model?.close();
  model = opened;
  return { name, size, task: model.task, labels: model.labels, version: runtime.version(), instructions };
}

const requests = {
  // Starts the runtime and opens the model that lies beside the page.
  async start(_, told) {
    const described = await fetch('model.json');
    const { file, name, size, dots } = described.ok ? await described.json() : {};
    await start(dots);
    if (!described.ok) throw new Error(`model.json cannot be loaded: the server says ${described.status}`);
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${file} cannot be loaded: the server says ${response.status}`);
    return take(await read(response.body, size, file, told), size, name);
  },

  // Opens a File in place of the model, which stays where that fails.
  async open({ file }, told) {
    if (file.size === 0)
      throw new Error(`${file.name}: the file is empty; expected what export --format edge has written`);
    return take(await read(file.stream(), file.size, file.name, told), file.size, file.name);
  },

  async classify({ first, second }) {
    if (model === null) throw new Error('no model is open');
    return { ...model.classify(first, second), tokens: model.tokens(first, second) };
  },
};

let before = Promise.resolve();
addEventListener('message', ({ data: { id, name, ...given } }) => {
  before = before.then(async () => {
    try {
      if (runtime === null && name !== 'start') throw new Error('the runtime has not started');
      postMessage({ id, result: await requests[name](given, (progress) => postMessage({ id, progress })) });
    } catch (error) { postMessage({ id, error: error.message }); }
  });
});
