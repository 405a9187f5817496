// @ts-check
// WebKit, where there is no WebGPU: the page runs on the CPU with plain SIMD, and its numbers are those of other browsers.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { root, serve, serveDist } from "./site.mjs";

const BROWSERS = ["4.1", "4.0", "6.0"].map((version) => `/usr/lib/x86_64-linux-gnu/webkit2gtk-${version}/MiniBrowser`);
const browser = BROWSERS.find(existsSync);
const skip = browser && existsSync("/usr/bin/WebKitWebDriver") && existsSync("/usr/bin/Xvfb") ? false : "WebKit is not installed here";

const DISPLAY = ":87";
const PORT = 14_587;

/** @type {import("node:child_process").ChildProcess[]} */
const processes = [];
/** @type {{ url: string, close: () => void }} */
let site;
let session = "";

/**
 * One command of the WebDriver protocol.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function driver(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${PORT}${path}`, { method, body: body && JSON.stringify(body) });
  const { value } = /** @type {{ value: any }} */ (await response.json());
  if (value?.error) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

/** @param {string} script a function's body */
const evaluate = (script) => driver("POST", `/session/${session}/execute/sync`, { script, args: [] });

/**
 * Asks again until the answer suits.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => boolean} suits
 */
async function until(ask, suits) {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && suits(answer)) return answer;
    if (Date.now() > end) throw new Error(`waited in vain; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

before(async () => {
  if (skip) return;
  site = await serveDist();
  processes.push(spawn("Xvfb", [DISPLAY, "-screen", "0", "1280x800x24"], { stdio: "ignore" }));
  const env = { ...process.env, DISPLAY, GDK_BACKEND: "x11", LIBGL_ALWAYS_SOFTWARE: "1", WEBKIT_DISABLE_DMABUF_RENDERER: "1" };
  processes.push(spawn("WebKitWebDriver", [`--port=${PORT}`], { stdio: "ignore", env }));
  const options = { binary: browser, args: ["--automation"] };
  const alwaysMatch = { browserName: "MiniBrowser", "webkitgtk:browserOptions": options };
  await until(() => driver("GET", "/status"), () => true);
  session = (await driver("POST", "/session", { capabilities: { alwaysMatch } })).sessionId;
});

after(async () => {
  if (session) await driver("DELETE", `/session/${session}`).catch(() => {});
  for (const child of processes) child.kill();
  site?.close();
});

/** @param {string} address */
async function open(address) {
  await driver("POST", `/session/${session}/url`, { url: `${site.url}/${address}` });
  await until(() => evaluate("return document.getElementById('app')?.dataset.boot"), (boot) => boot === "ready");
}

const stage = () => evaluate("return { ...document.getElementById('stage').dataset }");

test("the page runs on the CPU and says why not on the GPU", { skip }, async () => {
  await open("#v=1&m=svgd&target=banana&n=128&k=60");
  const data = await until(stage, ({ state }) => state === "paused_at_k");
  assert.equal(data.step, "60");
  assert.match(data.digest, /^wasm32-simd-/, "WebKit gets the plain module");
  const badge = await evaluate("const { textContent, dataset } = document.getElementById('badge'); return [textContent, dataset.tip]");
  assert.match(badge[0], /^CPU, SIMD/);
  assert.match(badge[1], /no WebGPU/);
});

test("the stage is painted", { skip }, async () => {
  const png = Buffer.from(await driver("GET", `/session/${session}/screenshot`), "base64");
  assert.ok(png.length > 20_000, `${png.length} bytes of picture`);
});

test("edits, reset and the link work", { skip }, async () => {
  await evaluate("const field = document.getElementById('p-n'); field.value = '64'; field.dispatchEvent(new Event('change', { bubbles: true }))");
  await until(() => evaluate("return location.hash"), (hash) => hash.includes("n=64"));
  await evaluate("document.getElementById('reset').click()");
  await until(stage, ({ step }) => Number(step) >= 0);
  const fatal = await evaluate("return [...document.querySelectorAll('.notice')].map((notice) => notice.textContent)");
  assert.deepEqual(fatal, []);
});

const LINK = "v=1&m=svgd&target=banana&n=64&k=25&speed=1e6";

test("the standalone file runs from a disk, with the numbers of the site", { skip }, async () => {
  await open(`#${LINK}`);
  const { digest } = await until(stage, ({ state }) => state === "paused_at_k");
  const url = `${pathToFileURL(path.join(root, "dist/embed.html"))}?autoplay=1#${LINK}`;
  await driver("POST", `/session/${session}/url`, { url });
  const alone = await until(stage, ({ state }) => state === "paused_at_k");
  assert.equal(await evaluate("return location.protocol"), "file:");
  assert.deepEqual([alone.step, alone.digest], ["25", digest]);
});

test("a frame with sandbox=\"allow-scripts\" runs and answers", { skip }, async () => {
  const host = await serve({ "/": { type: "text/html", text: `<!doctype html><meta charset="utf-8"><title>host</title>
    <script>window.said = []; addEventListener("message", (e) => said.push(e.data));</script>
    <iframe id="demo" sandbox="allow-scripts" width="800" height="500" title="demo" src="${site.url}/embed.html?ui=min&autoplay=1#${LINK}"></iframe>` } });
  await driver("POST", `/session/${session}/url`, { url: host.url });
  const at = (/** @type {number} */ step) => until(() => evaluate(`return window.said.find((one) => one.step === ${step} && one.state === "paused_at_k") ?? null`), (said) => said !== null);
  const first = await at(25);
  assert.match(first.digest, /^wasm32-simd-/);
  await evaluate("document.getElementById('demo').contentWindow.postMessage({ ns: 'pushforward', v: 1, type: 'seek', k: 40, request: 'r' }, '*')");
  await at(40);
  assert.deepEqual(await evaluate("return window.said.filter((one) => one.type === 'error')"), []);
  host.close();
});
