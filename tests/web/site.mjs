// @ts-check
// Serves dist/ and starts the browser, for measurements and pictures.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const dist = process.env.DIST ?? path.join(root, "dist");

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".json": "application/json",
};

/**
 * Serves dist/ on a free port. `/blank` is an empty page of the same origin.
 * @returns {Promise<{ url: string, requested: string[], close: () => void }>} `requested` grows by the path of each request
 */
export async function serveDist() {
  /** @type {string[]} */
  const requested = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    requested.push(pathname);
    if (pathname === "/blank") {
      response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>blank</title>");
      return;
    }
    const file = path.join(dist, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    try {
      if (!file.startsWith(dist)) throw new Error("outside dist");
      const body = await readFile(file);
      const type = types[path.extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, requested, close: () => void server.close() };
}

/** Arguments that give Chromium WebGPU on its software renderer. */
export const WEBGPU = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-angle=vulkan",
  "--use-vulkan=swiftshader",
];

/**
 * Serves what is listed on a free port of its own, so on another origin than the site: texts by their path, folders of the
 * repository by their prefix.
 * @param {Record<string, { text: string, type: string } | { folder: string }>} places
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve(places) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const prefix = Object.keys(places).filter((each) => pathname === each || (each.endsWith("/") && each !== "/" && pathname.startsWith(each))).pop();
    const place = prefix === undefined ? undefined : places[prefix];
    try {
      if (!place || prefix === undefined) throw new Error("not listed");
      if ("text" in place) return void response.writeHead(200, { "content-type": place.type }).end(place.text);
      const file = path.join(root, place.folder, path.normalize(pathname.slice(prefix.length)));
      const body = await readFile(file);
      response.writeHead(200, { "content-type": types[path.extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(pathname === "/favicon.ico" ? 204 : 404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

/**
 * Whole numbers below `n`, the same for the same seed (a linear congruential generator, Numerical Recipes).
 * @param {number} seed
 */
export function randomly(seed) {
  let state = seed;
  return (/** @type {number} */ n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/**
 * Chromium without traffic of its own, and without a GPU unless further arguments bring one.
 * @param {string[]} further
 */
export const launch = (further = []) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: false,
    args: [
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...further,
    ],
  });
