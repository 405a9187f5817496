// @ts-check
// The page on WebGPU (Chromium's software renderer): the device's numbers are the CPU's, and a device that goes away takes
// no step with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, enter, noticed, open, reached, run, saved, stageHas, useBrowser } from "./harness.mjs";
import { WEBGPU } from "./site.mjs";

useBrowser(WEBGPU);

/** Keeps the page's workers where a test can reach them. */
const KEEP_WORKERS = `
  window.workers = [];
  const Native = Worker;
  window.Worker = class extends Native { constructor(...args) { super(...args); window.workers.push(this); } };`;

/** @param {import("playwright-core").Page} page */
const badge = (page) => page.locator("#badge").innerText();

test("the front page's demo runs on the device, and its numbers are the CPU's", async () => {
  const particles = [];
  for (const backend of ["gpu", "cpu"]) {
    const { page, faults, close } = await open(`?backend=${backend}#v=1&m=svgd&target=banana&n=128&init_mean=0,4&k=40`);
    await stageHas(page, "state", "paused_at_k");
    assert.match(await badge(page), backend === "gpu" ? /^WebGPU|SwiftShader/ : /^CPU/);
    const { rows } = await saved(page, "particles");
    particles.push(rows.flat());
    clean(faults);
    await close();
  }
  const [device, host] = particles;
  assert.equal(device.length, 256);
  const apart = Math.max(...device.map((x, i) => Math.abs(x - host[i])));
  // Forty steps, a few roundings of 6e-8 each, amplified by a target with steep walls.
  assert.ok(apart < 1e-3, `apart by ${apart}`);
  assert.ok(Math.max(...device.map(Math.abs)) > 1, "the cloud moved");
});

test("on its own the page prefers the CPU to a software renderer, and says so", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  assert.match(await badge(page), /^CPU/);
  assert.match((await page.locator("#badge").getAttribute("data-tip")) ?? "", /software renderer/);
  clean(faults);
  await close();
});

test("curves, edits, arrows and reset work on the device", async () => {
  const { page, faults, close } = await open("?backend=gpu#v=1&m=svgd&target=gaussian&n=64&bandwidth=1&k=20");
  await stageHas(page, "state", "paused_at_k");
  await page.locator('#stage[data-metrics-step="20"]').waitFor();
  await enter(page, "step", "0.2");
  await page.locator("#play").click();
  await reached(page, 25);
  await page.locator("#reset").click();
  await stageHas(page, "step", "0");
  assert.match(await badge(page), /WebGPU|SwiftShader/);
  clean(faults);
  await close();
});

for (const [name, kill] of /** @type {[string, (page: import("playwright-core").Page) => Promise<unknown>][]} */ ([
  ["a destroyed device", (page) => page.evaluate(() => /** @type {any} */ (window).workers.at(-1).postMessage({ type: "lose-device-for-test" }))],
  ["a killed GPU process", async (page) => {
    const session = await page.context().browser()?.newBrowserCDPSession();
    // The answer never comes: what would give it is gone.
    void session?.send("Browser.crashGpuProcess").catch(() => {});
  }],
])) {
  test(`${name} loses no step: the run goes on on the CPU`, async () => {
    const link = "#v=1&m=svgd&target=banana&n=64&bandwidth=0.5&k=120";
    const { page, close } = await open(`?backend=gpu${link}`, {}, KEEP_WORKERS);
    await reached(page, 10);
    await kill(page);
    await noticed(page, "The GPU was lost");
    await page.waitForFunction(() => /** @type {any} */ (window).workers.length === 2);
    await stageHas(page, "state", "paused_at_k");
    assert.equal((await run(page)).step, 120);
    assert.match(await badge(page), /^CPU/);
    assert.match((await page.locator("#badge").getAttribute("data-tip")) ?? "", /GPU was lost/);
    const rescued = (await saved(page, "particles")).rows.flat();
    await close();
    const whole = await open(`?backend=cpu${link}`);
    await stageHas(whole.page, "state", "paused_at_k");
    const host = (await saved(whole.page, "particles")).rows.flat();
    await whole.close();
    const apart = Math.max(...rescued.map((x, i) => Math.abs(x - host[i])));
    assert.ok(apart < 1e-3, `apart by ${apart}`);
  });
}
