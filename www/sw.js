// Keeps the site for a visit without a network. With a network everything comes from it, so a new version shows at once.
// A script of its own, which knows nothing of the page; the build fills in the list of files.
// @ts-check

/** Files to keep, relative to this one. @type {string[]} */
const FILES = [];

(() => {
  const scope = /** @type {any} */ (self);
  const home = new URL(".", location.href);
  /** One version may lie beside another on the same host. */
  const name = `pushforward ${home.pathname}`;
  const flavour = new URL(location.href).searchParams.get("wasm") ?? "";
  const other = flavour === "relaxed" ? "_simd" : "_relaxed";
  const wanted = FILES.filter((file) => !file.includes(other));

  scope.addEventListener("install", (/** @type {any} */ event) => event.waitUntil((async () => {
    const cache = await caches.open(name);
    await cache.addAll(wanted.map((file) => new URL(file, home).href));
    await scope.skipWaiting();
  })()));

  scope.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil((async () => {
    const cache = await caches.open(name);
    const kept = new Set(wanted.map((file) => new URL(file, home).href));
    for (const request of await cache.keys()) if (!kept.has(request.url)) await cache.delete(request);
    await scope.clients.claim();
  })()));

  scope.addEventListener("fetch", (/** @type {any} */ event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== home.origin || !url.pathname.startsWith(home.pathname)) return;
    event.respondWith((async () => {
      const cache = await caches.open(name);
      url.search = url.hash = "";
      const place = url.href;
      try {
        const response = await fetch(request);
        if (response.ok) event.waitUntil(cache.put(place, response.clone()).catch(() => {}));
        return response;
      } catch (error) {
        const kept = await cache.match(place);
        if (kept) return kept;
        throw error;
      }
    })());
  });
})();
