// @ts-check
// Firefox: the site, the standalone file from a disk, and the sandboxed frame, through WebDriver BiDi.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
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
  const step = () => page.evaluate(() => Number(/** @type {HTMLElement} */ (document.querySelector("#stage")).dataset.step));
  /** Records for about so long; another page plays it: what the policy of the site forbids. @param {number} milliseconds */
  const filmed = async (milliseconds) => {
    await page.evaluate(() => delete (/** @type {any} */ (window).film));
    await page.click(button);
    const begun = await step();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    for (let waited = 0; (await step()) < begun + 20 && waited < 20; waited += 1) await new Promise((resolve) => setTimeout(resolve, 500));
    await page.click(button);
    await page.waitForFunction(() => "film" in window, { timeout: 30_000 });
    const film = await page.evaluate(async () => {
      const blob = /** @type {Blob} */ (/** @type {any} */ (window).film);
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return { type: blob.type, bytes: Array.from(bytes), width: /** @type {HTMLCanvasElement} */ (document.querySelector("#canvases canvas")).width };
    });
    const player = await browser.newPage();
    await player.goto(`${site.url}/blank`);
    const seen = await player.evaluate(async ({ type, bytes }) => {
      const video = Object.assign(document.createElement("video"), { muted: true, src: URL.createObjectURL(new Blob([Uint8Array.from(bytes)], { type })) });
      await new Promise((resolve, reject) => {
        video.onloadeddata = resolve;
        video.onerror = () => reject(new Error(video.error?.message));
      });
      const draw = () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
        const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        ctx.drawImage(video, 0, 0);
        return ctx.getImageData(0, 0, canvas.width, canvas.height).data;
      };
      const first = draw();
      await video.play();
      // Langevin's particles never rest: some picture differs, however few a busy machine recorded.
      let moved = false;
      for (let waited = 0; (!moved || video.currentTime < 0.5) && waited < 20; waited += 1) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        const later = draw();
        moved ||= first.some((value, i) => Math.abs(value - later[i]) > 30);
      }
      return { width: video.videoWidth, time: video.currentTime, moved, drawn: first.some((value, i) => i % 4 < 3 && Math.abs(value - first[i % 4]) > 60) };
    }, film);
    await player.close();
    return { ...seen, type: film.type, sized: Math.abs(seen.width - film.width) <= 1 };
  };
  let seen = await filmed(2500);
  // A busy machine may have recorded one picture alone.
  if (!seen.moved) seen = await filmed(10_000);
  assert.deepEqual(found, []);
  assert.match(seen.type, /^video\/(webm|mp4)$/);
  assert.ok(seen.sized && seen.time > 0.5 && seen.drawn && seen.moved, JSON.stringify(seen));
  await page.close();
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
