// SPDX-License-Identifier: Apache-2.0
// The page: shows what the worker answers. It computes nothing itself, so it stays usable while the model works.

const EXAMPLES = [
  'a warm , funny , engaging film .',
  'a tedious waste of two hours .',
  'It is not the masterpiece people say, but I would watch it again.',
  'The acting is superb; the story, sadly, is not.',
];

const $ = (id) => document.getElementById(id);
const worker = new Worker('worker.js', { type: 'module' });
const waiting = new Map();  // id of a request: how it ends
let requests = 0;
let model = null;  // what the worker says of the model that is open

// Asks the worker; `told` hears of progress.
function ask(name, given = {}, told = () => {}) {
  return new Promise((resolve, reject) => {
    waiting.set(++requests, { resolve, reject, told });
    worker.postMessage({ id: requests, name, ...given });
  });
}
worker.addEventListener('message', ({ data: { id, progress, result, error } }) => {
  const { resolve, reject, told } = waiting.get(id);
  if (progress) return told(progress);
  waiting.delete(id);
  return error === undefined ? resolve(result) : reject(new Error(error));
});
worker.addEventListener('error', () => complain(
  'The worker of this page cannot be started: the browser is too old, or a file of the page is missing.'));

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const count = (n, thing) => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;

function complain(text) {
  $('alert').textContent = text;
  $('alert').hidden = text === '';
  if (text !== '') $('alert').scrollIntoView({ block: 'nearest' });
}

function item(list, text, style = '') {
  const li = document.createElement('li');
  if (style) li.className = style;
  li.textContent = text;
  list.append(li);
  return li;
}

// Opens a model by the request `name` and shows what it is. The one before stays where that fails.
async function open(name, given) {
  complain('');
  $('loading').hidden = false;
  $('submit').disabled = true;
  $('loading-bar').removeAttribute('value');
  try {
    model = await ask(name, given, ({ loaded, size }) => {
      $('loading-bar').value = loaded / size;
      $('loading-text').textContent = `Loading the model: ${megabytes(loaded)} of ${megabytes(size)}`;
    });
    $('model-name').textContent = model.name;
    $('model-size').textContent = `${megabytes(model.size)} (${model.size.toLocaleString('en')} bytes)`;
    $('model-task').textContent = model.task;
    $('model-labels').textContent = model.labels.join(', ');
    $('model-runtime').textContent = `Espalier ${model.version}, WebAssembly with ${model.instructions}`;
    clear();
  } catch (error) { complain(error.message); }
  $('loading').hidden = true;
  $('submit').disabled = model === null;
}

function clear() {
  $('answer').textContent = 'Ready for a text.';
  for (const list of ['scores', 'notes', 'tokens']) $(list).replaceChildren();
  $('notes').hidden = $('latency').hidden = true;
}

// Half a surrogate pair: an emoji of which one of two units is missing. UTF-8 has no such thing.
const half_characters = (text) =>
  (text.match(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g) ?? []).length;

function notes_on(text, { tokens }) {
  const notes = [];
  const halves = half_characters(text);
  if (halves > 0)
    notes.push(`${count(halves, 'half character')} (a lone surrogate) in the text: read as the replacement character.`);
  if (tokens.kept < tokens.count)
    notes.push(`The text has ${count(tokens.count, 'token')}, of which the model reads ${tokens.kept}: the last ` +
      `${count(tokens.count - tokens.kept, 'token')} had no influence.`);
  const unknown = tokens.words.filter((word) => word === '[UNK]').length;
  if (unknown > 0)
    notes.push(`${count(unknown, 'piece')} of the text ${unknown === 1 ? 'is' : 'are'} unknown to the model: [UNK].`);
  if (tokens.count <= 2) notes.push('Nothing in this text is a token: the answer is that for an empty text.');
  return notes;
}

function show_scores({ scores, label }) {
  const probabilities = model.task !== 'regression';
  const list = $('scores');
  list.replaceChildren();
  scores.forEach((score, i) => {
    const li = item(list, '', i === label ? 'best' : '');
    const [name, value, rail, bar] = ['span', 'span', 'div', 'div'].map((tag) => document.createElement(tag));
    name.textContent = model.labels[i];
    value.className = 'score';
    value.textContent = probabilities ? `${(100 * score).toFixed(1)} %` : score.toFixed(3);
    li.append(name, value);
    if (!probabilities) return;
    rail.className = 'rail';
    bar.className = 'bar';
    bar.style.width = `${100 * score}%`;
    rail.append(bar);
    li.append(rail);
  });
}

function show_answer(text, answer) {
  const line = $('answer');
  line.textContent = answer.label < 0 ? 'Answered: see the scores.' : '';
  if (answer.label >= 0) {
    const name = document.createElement('strong');
    name.textContent = model.labels[answer.label];
    line.append(name, `, with a probability of ${(100 * answer.scores[answer.label]).toFixed(1)} %`);
  }
  show_scores(answer);
  $('notes').replaceChildren();
  for (const note of notes_on(text, answer)) item($('notes'), note);
  $('notes').hidden = $('notes').children.length === 0;
  $('latency').textContent = `Answered in ${answer.milliseconds.toFixed(1)} ms.`;
  $('latency').hidden = false;
  $('tokens').replaceChildren();
  for (const word of answer.tokens.words)
    item($('tokens'), word, word === '[UNK]' ? 'unknown' : /^\[.*\]$/.test(word) ? 'special' : '');
}

async function classify() {
  if ($('submit').disabled) return complain('No model is open yet: please wait until it is loaded, or open a file.');
  const text = $('text').value;
  const second = $('second').value.trim() === '' ? null : $('second').value;
  if (text.trim() === '') {
    complain('The text is empty: type or paste one, or take an example.');
    $('text').focus();
    return;
  }
  complain('');
  try {
    const answer = await ask('classify', { first: text, second });
    show_answer(text, answer);
    document.dispatchEvent(new CustomEvent('answered', { detail: answer }));
  } catch (error) { complain(error.message); }
}

function listen() {
  $('form').addEventListener('submit', (event) => { event.preventDefault(); classify(); });
  for (const box of ['text', 'second'])
    $(box).addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      classify();
    });
  for (const example of EXAMPLES) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = example;
    button.addEventListener('click', () => { $('text').value = example; classify(); });
    item($('examples'), '').append(button);
  }
  $('file').addEventListener('change', async () => {
    const [file] = $('file').files;
    if (file !== undefined) await open('open', { file });
    $('file').value = '';  // so that the same file can be chosen again
  });
  for (const name of ['dragover', 'dragleave', 'drop'])
    document.addEventListener(name, (event) => {
      event.preventDefault();
      $('drop').classList.toggle('over', name === 'dragover');
      if (name === 'drop' && event.dataTransfer.files.length > 0) open('open', { file: event.dataTransfer.files[0] });
    });
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    $('install').hidden = false;
    $('install').onclick = () => { $('install').hidden = true; event.prompt(); };
  });
}

// Keeps the page for use without a network. After the model was loaded, so that it is loaded once.
async function keep() {
  if (!('serviceWorker' in navigator)) {
    $('offline').textContent = 'no: the browser keeps pages of https:// and localhost only';
    return;
  }
  try {
    await navigator.serviceWorker.register('service_worker.js');
    await navigator.serviceWorker.ready;
    $('offline').textContent = 'yes: the page is kept on this device';
  } catch { $('offline').textContent = 'no: the browser does not let this page be kept'; }
}

listen();
await open('start');
await keep();
