// @ts-check
// What the end-to-end tests share: one browser and one server a file, pages that fail on any error, violation or foreign
// request, and the words to read a run from the page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before } from "node:test";
import { launch, serveDist } from "./site.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").BrowserContextOptions} ContextOptions */

/** As fast as the machine can. */
export const FAST = "speed=1e6";

/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof serveDist>>} */
let site;

/**
 * Starts the browser and the server before this file's tests, and stops them after.
 * @param {string[]} [further] arguments of the browser
 */
export function useBrowser(further) {
  before(async () => {
    [browser, site] = await Promise.all([launch(further), serveDist()]);
  });
  after(async () => {
    await browser?.close();
    site?.close();
  });
}

export const origin = () => site.url;
/** Paths of all requests so far. */
export const requested = () => [...site.requested];

/**
 * A page that remembers what went wrong on it.
 * @param {ContextOptions} [options]
 * @param {(() => void) | string} [script] runs before the page's own scripts
 */
export async function newPage(options = {}, script) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: "block", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  /** @type {string[]} */
  const faults = [];
  page.on("pageerror", (error) => faults.push(`exception: ${error.stack ?? error}`));
  page.on("console", (message) => {
    // What the browser itself says where WebGPU has no adapter.
    if (message.text() === "No available adapters.") return;
    // Most tests go without a service worker: each context would fetch the whole site again.
    if (message.text().includes("blocked by Playwright")) return;
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(site.url) && !/^(blob|data|file|about):/.test(url)) faults.push(`foreign request: ${url}`);
  });
  if (script) await page.addInitScript(script);
  return { page, faults, close: () => context.close() };
}

/**
 * Opens `address` of the built site and waits until its program runs.
 * @param {string} address from the query on, e.g. `?embed=1#v=1&m=svgd`
 * @param {ContextOptions} [options]
 * @param {(() => void) | string} [script]
 */
export async function open(address, options, script) {
  const opened = await newPage(options, script);
  await opened.page.goto(`${site.url}/${address}`);
  await started(opened.page);
  return opened;
}

/** @param {Page | import("playwright-core").Frame} page */
export const started = (page) => page.locator('#app[data-boot="ready"] #stage[data-step]').waitFor();

/** @param {Page | import("playwright-core").Frame} page */
export async function run(page) {
  const data = await page.locator("#stage").evaluate((stage) => ({ ...stage.dataset }));
  return { step: Number(data.step), state: data.state, playing: data.playing === "true", digest: data.digest, where: data.where };
}

/**
 * Waits until the run stands at `step` or beyond.
 * @param {Page | import("playwright-core").Frame} page
 * @param {number} step
 */
export const reached = (page, step) =>
  page.waitForFunction((wanted) => Number(document.getElementById("stage")?.dataset.step) >= wanted, step);

/**
 * Waits until the stage's attribute has a value.
 * @param {Page | import("playwright-core").Frame} page
 * @param {string} name
 * @param {string} value
 */
export const stageHas = (page, name, value) => page.locator(`#stage[data-${name}="${value}"]`).waitFor();

/**
 * Numbers of a CSV that the page saves, with its header.
 * @param {Page} page
 * @param {"particles" | "metrics"} what
 */
export async function saved(page, what) {
  const download = page.waitForEvent("download");
  await page.locator(`[data-save="${what}"]`).click();
  const text = await readFile(await (await download).path(), "utf8");
  const [header, ...rows] = text.trim().split(/\r?\n/).map((line) => line.split(","));
  return { header, rows: rows.map((row) => row.map((cell) => (cell === "" ? Number.NaN : Number(cell)))) };
}

/** @param {Page} page */
export const hash = (page) => page.evaluate(() => location.hash.slice(1));

/**
 * Waits until the address bar holds `part`.
 * @param {Page} page
 * @param {string} part
 */
export const hashHas = (page, part) => page.waitForFunction((wanted) => decodeURIComponent(location.hash).includes(wanted), part);

/**
 * Types a parameter into its field.
 * @param {Page} page
 * @param {string} key
 * @param {string} value
 */
export async function enter(page, key, value) {
  const field = page.locator(`#p-${key}`);
  if (await field.evaluate((element) => element instanceof HTMLSelectElement)) return void (await field.selectOption(value));
  await field.fill(value);
  await field.press("Enter");
}

/** @param {Page} page @param {string} text */
export const noticed = (page, text) => page.locator(".notice", { hasText: text }).first().waitFor();

/** For a page's script: keeps its workers where a test can reach them. */
export const KEEP_WORKERS = `
  window.workers = [];
  const Native = Worker;
  window.Worker = class extends Native { constructor(...args) { super(...args); window.workers.push(this); } };`;
/** For a page's script: a browser in which workers throw. */
export const NO_WORKERS = "window.Worker = class { constructor() { throw new Error('no workers here'); } };";

/** @param {Page} page */
export const crash = (page) => page.evaluate(() => /** @type {any} */ (window).workers.at(-1).postMessage({ type: "crash-for-test" }));
/** The panic's own words on the console are expected; nothing else is. @param {string[]} faults */
export const cleanButPanic = (faults) => clean(faults.filter((fault) => !/deliberate crash|unreachable|panicked/.test(fault)));

/** @param {string[]} faults */
export const clean = (faults) => assert.deepEqual(faults, []);

/**
 * Drops a file on the page, as a pointer would.
 * @param {Page} page
 * @param {string} name
 * @param {string} text
 */
export async function dropFile(page, name, text) {
  const transfer = await page.evaluateHandle(([fileName, content]) => {
    const data = new DataTransfer();
    data.items.add(new File([content], fileName, { type: "text/csv" }));
    return data;
  }, [name, text]);
  await page.dispatchEvent("#stage", "dragover", { dataTransfer: transfer });
  await page.dispatchEvent("#stage", "drop", { dataTransfer: transfer });
}
