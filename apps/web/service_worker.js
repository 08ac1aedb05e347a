// SPDX-License-Identifier: Apache-2.0
// Keeps the files of one version of the page, so that it opens without a network. .ci/web writes the version, which is
// a checksum of all files, and the names. A new version is taken when the page is opened anew.
const VERSION = '@VERSION@';
const FILES = ['@FILES@'];
const CACHE = `espalier-${VERSION}`;

addEventListener('install', (event) => event.waitUntil((async () => {
  const cache = await caches.open(CACHE);
  await cache.addAll(FILES.map((file) => new Request(file, { cache: 'no-cache' })));  // asks whether it has changed
})()));

addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys())
    if (name.startsWith('espalier-') && name !== CACHE) await caches.delete(name);
  await clients.claim();
})()));

addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return;
  event.respondWith((async () =>
    (await caches.match(event.request, { cacheName: CACHE, ignoreSearch: true })) ?? fetch(event.request))());
});
