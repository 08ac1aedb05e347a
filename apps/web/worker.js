// SPDX-License-Identifier: Apache-2.0
// The worker behind the page: loads the runtime and a model, and answers. One message is one request; each is answered
// by {id, result} or {id, error}, and {id, progress} in between. Requests are answered in their order.
import { Model, Runtime } from './runtime.js';

let runtime = null;
let model = null;

// (module (func (result v128) (i32.const 0) (i8x16.splat) (i8x16.popcnt))): the smallest module with SIMD.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

async function start() {
  if (!WebAssembly.validate(new Uint8Array(SIMD)))
    throw new Error('This browser is too old: it lacks WebAssembly SIMD. Firefox 89, Chrome 91 and Safari 16.4 have it.');
  const response = await fetch('espalier.wasm');
  if (!response.ok) throw new Error(`espalier.wasm cannot be loaded: the server says ${response.status}`);
  const kind = response.headers.get('Content-Type');
  const module = await WebAssembly.compileStreaming(response).catch(() => null);
  if (module === null)
    throw new Error(`espalier.wasm cannot be used: it is damaged, or the server sends it as ${kind}, not as application/wasm`);
  // Answers are the same without it, and slower.
  const dots = await WebAssembly.compileStreaming(fetch('int8_dots.wasm')).catch(() => null);
  runtime = await Runtime.start(module, dots);
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
  return { name, size, task: model.task, labels: model.labels, version: runtime.version() };
}

const requests = {
  // Starts the runtime and opens the model that lies beside the page.
  async start(_, told) {
    await start();
    const described = await fetch('model.json');
    if (!described.ok) throw new Error(`model.json cannot be loaded: the server says ${described.status}`);
    const { file, name, size } = await described.json();
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${file} cannot be loaded: the server says ${response.status}`);
    return take(await read(response.body, size, file, told), size, name);
  },

  // Opens a File in place of the model, which stays where that fails.
  async open({ file }, told) {
    if (file.size === 0) throw new Error(`${file.name}: the file is empty; expected what export --format edge has written`);
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
