// @ts-check
// Firefox: the site, the standalone file from a disk, and the sandboxed frame, through WebDriver BiDi.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { watch } from "./film.mjs";
import { launchFirefox } from "./firefox.mjs";
import { root, serve, serveDist } from "./site.mjs";

const LINK = "v=1&m=svgd&target=banana&n=64&k=25&speed=1e6";
const skip = existsSync(process.env.FIREFOX ?? "/usr/bin/firefox-esr") ? false : "Firefox is not installed here";

/** @type {import("puppeteer-core").Browser} */
let browser;
/** @type {{ url: string, close: () => void }} */
let site;
before(async () => {
  if (skip) return;
  site = await serveDist();
  browser = await launchFirefox("without");
});
after(async () => {
  await browser?.close();
  site?.close();
});

/** @param {import("puppeteer-core").Page | import("puppeteer-core").Frame} page */
async function paused(page) {
  await page.waitForSelector('#stage[data-state="paused_at_k"]', { timeout: 60_000 });
  return page.$eval("#stage", (stage) => ({ ...(/** @type {HTMLElement} */ (stage).dataset) }));
}

/** @param {import("puppeteer-core").Page} page */
function faults(page) {
  /** @type {string[]} */
  const found = [];
  page.on("pageerror", (error) => found.push(String(error)));
  return found;
}

test("the site runs and its dialog opens", { skip }, async () => {
  const page = await browser.newPage();
  const found = faults(page);
  await page.goto(`${site.url}/?autoplay=1#${LINK}`);
  const stage = await paused(page);
  assert.deepEqual([stage.step, stage.where], ["25", "worker"]);
  await page.click("#share");
  await page.waitForSelector("#copy-link");
  for (const tab of ["slide", "qr", "figure", "data", "file", "film"]) await page.click(`#share-tab-${tab}`);
  assert.deepEqual(found, []);
  await page.close();
});

test("a film of the stage is recorded, and plays", { skip }, async () => {
  const page = await browser.newPage();
  const found = faults(page);
  await page.goto(`${site.url}/?autoplay=1#v=1&m=ula&target=banana&n=512`);
  await page.waitForSelector('#stage[data-playing="true"]', { timeout: 60_000 });
  await page.evaluate(() => {
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      /** @type {any} */ (window).film = blob;
      return make(blob);
    };
  });
  await page.click("#share");
  await page.waitForSelector("#share-tab-film");
  await page.click("#share-tab-film");
  await page.waitForSelector("#share-panel .primary");
  const button = "#share-panel .primary";
  await page.click(button);
  await page.evaluate(() => {
    let before = performance.now();
    /** @type {any} */ (window).longest = 0;
    setInterval(() => {
      const now = performance.now();
      /** @type {any} */ (window).longest = Math.max(/** @type {any} */ (window).longest, now - before);
      before = now;
    }, 20);
  });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const longest = await page.evaluate(() => /** @type {number} */ (/** @type {any} */ (window).longest));
  await page.click(button);
  await page.waitForFunction(() => "film" in window, { timeout: 30_000 });
  const film = await page.evaluate(async () => {
    const blob = /** @type {Blob} */ (/** @type {any} */ (window).film);
    const reader = new FileReader();
    const read = new Promise((resolve) => (reader.onload = () => resolve(reader.result)));
    reader.readAsDataURL(blob);
    return { type: blob.type, url: /** @type {string} */ (await read), width: /** @type {HTMLCanvasElement} */ (document.querySelector("#canvases canvas")).width };
  });
  assert.deepEqual(found, []);
  await page.close();
  // Another page plays it: what the policy of the site forbids.
  const player = await browser.newPage();
  await player.goto(`${site.url}/blank`);
  const seen = await watch(player, film.url);
  await player.close();
  const facts = JSON.stringify({ ...seen, type: film.type, shown: film.width, longest });
  assert.match(film.type, /^video\/(webm|mp4)$/);
  assert.ok(Math.abs(seen.width - film.width) <= 1 && seen.seconds >= 1 && seen.drawn && seen.moved, facts);
  // The page had once waited ten seconds for the worker's canvas.
  assert.ok(longest < 5000, facts);
});

test("the standalone file runs from a disk", { skip }, async () => {
  const page = await browser.newPage();
  const found = faults(page);
  await page.goto(`${pathToFileURL(path.join(root, "dist/embed.html"))}?autoplay=1#${LINK}`);
  assert.equal((await paused(page)).step, "25");
  assert.deepEqual(found, []);
  await page.close();
});

test("a sandboxed frame runs and answers", { skip }, async () => {
  const host = await serve({ "/": { type: "text/html", text: `<!doctype html><meta charset="utf-8"><title>host</title>
    <script>const said = []; addEventListener("message", (e) => said.push(e.data));</script>
    <iframe id="demo" sandbox="allow-scripts" width="800" height="500" title="demo" src="${site.url}/embed.html?ui=min&autoplay=1#${LINK}"></iframe>` } });
  const page = await browser.newPage();
  const found = faults(page);
  await page.goto(host.url);
  await page.waitForFunction(() => /** @type {any} */ (window).eval("said").some((/** @type {any} */ one) => one.type === "state" && one.step === 25), { timeout: 60_000 });
  await page.evaluate(() => /** @type {HTMLIFrameElement} */ (document.getElementById("demo")).contentWindow?.postMessage({ ns: "pushforward", v: 1, type: "seek", k: 40, request: "r" }, "*"));
  await page.waitForFunction(() => /** @type {any} */ (window).eval("said").some((/** @type {any} */ one) => one.step === 40 && one.state === "paused_at_k"), { timeout: 60_000 });
  assert.deepEqual(found, []);
  await page.close();
  host.close();
});
