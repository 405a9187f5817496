// @ts-check
// The page on WebGPU (Chromium's software renderer): the device's numbers are the CPU's, and a device that goes away takes
// no step with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { filmed } from "./film.mjs";
import { clean, enter, newPage, noticed, open, origin, reached, requested, run, saved, stageHas, useBrowser } from "./harness.mjs";
import { WEBGPU } from "./site.mjs";

useBrowser(WEBGPU);

/** Keeps the page's workers where a test can reach them. */
const KEEP_WORKERS = `
  window.workers = [];
  const Native = Worker;
  window.Worker = class extends Native { constructor(...args) { super(...args); window.workers.push(this); } };`;

/** @param {import("playwright-core").Page} page */
const badge = (page) => page.locator("#badge").innerText();

/**
 * Mean difference of two pictures in levels of 255, and how far the first is from plain.
 * @param {import("playwright-core").Page} page any
 * @param {Buffer[]} pictures
 */
const compared = (page, pictures) =>
  page.evaluate(async (texts) => {
    const pixels = await Promise.all(texts.map(async (text) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${text}`)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height).data;
    }));
    const [a, b] = pixels;
    let [apart, drawn] = [0, 0];
    for (let i = 0; i < a.length; i++) {
      apart += Math.abs(a[i] - b[i]) / a.length;
      drawn += Math.abs(a[i] - a[i % 4]) / a.length;
    }
    return { same: a.length === b.length, apart, drawn };
  }, pictures.map((picture) => picture.toString("base64")));

test("the front page's demo runs on the device: its numbers and its picture are the CPU's", async () => {
  /** @type {number[][]} */
  const particles = [];
  /** @type {Buffer[]} */
  const pictures = [];
  for (const backend of ["gpu", "cpu"]) {
    const { page, faults, close } = await open(`?backend=${backend}#v=1&m=svgd&target=banana&n=128&init_mean=0,4&k=40`);
    await stageHas(page, "state", "paused_at_k");
    assert.match(await badge(page), backend === "gpu" ? /^WebGPU|SwiftShader/ : /^CPU/);
    const { rows } = await saved(page, "particles");
    particles.push(rows.flat());
    await page.mouse.move(5, 5);
    const clip = await page.locator("#stage").boundingBox();
    pictures.push(await page.screenshot({ clip: clip ?? undefined }));
    clean(faults);
    await close();
  }
  const blank = await newPage();
  await blank.page.goto(`${origin()}/blank`);
  const { same, apart: away, drawn } = await compared(blank.page, pictures);
  await blank.close();
  // Discs lie at their exact places on the device, at quarters of a pixel on the CPU.
  assert.ok(same && drawn > 2 && away < 0.05 * drawn + 0.1, `pictures apart by ${away} of ${drawn} levels`);
  const [device, host] = particles;
  assert.equal(device.length, 256);
  const apart = Math.max(...device.map((x, i) => Math.abs(x - host[i])));
  // Forty steps, a few roundings of 6e-8 each, amplified by a target with steep walls.
  assert.ok(apart < 1e-3, `apart by ${apart}`);
  assert.ok(Math.max(...device.map(Math.abs)) > 1, "the cloud moved");
});

test("the opening on a device downloads what drives it, once, and nothing more", async () => {
  const before = requested().length;
  const { page, faults, close } = await open("?backend=gpu");
  await reached(page, 30);
  await page.waitForTimeout(1500);
  const parts = requested().slice(before).filter((path) => /\.\w+\.wasm$/.test(path)).map((path) => path.split(".")[1]);
  assert.deepEqual(parts.sort(), ["common", "gpu"], "if another part is among them, record the opening: cargo xtask bless --only opening");
  clean(faults);
  await close();
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

test("a device that goes while the run rests is noticed, and the picture stays", async () => {
  const { page, close } = await open("?backend=gpu#v=1&m=svgd&target=banana&n=64&bandwidth=0.5&k=12", {}, KEEP_WORKERS);
  await stageHas(page, "state", "paused_at_k");
  await page.evaluate(() => /** @type {any} */ (window).workers.at(-1).postMessage({ type: "lose-device-for-test" }));
  await noticed(page, "The GPU was lost");
  await page.waitForFunction(() => /** @type {any} */ (window).workers.length === 2);
  await stageHas(page, "state", "paused_at_k");
  assert.equal((await run(page)).step, 12);
  await close();
});

test("the receipt of a run on the device: the CPU agrees within the tolerance", async () => {
  const { page, faults, close } = await open("?backend=gpu#v=1&m=svgd&target=banana&n=128&init_mean=0,4&k=40");
  await stageHas(page, "state", "paused_at_k");
  await page.locator("#share").click();
  await page.getByRole("button", { name: "Run it again and compare" }).click();
  await page.locator("#receipt-verdict", { hasText: "within the tolerance" }).waitFor();
  const text = (await page.locator("#receipt-verdict").textContent()) ?? "";
  assert.match(text, /^The CPU, with the plain module \(wasm32-simd-[0-9a-f]{8}\), agrees within the tolerance of 0.001/);
  clean(faults);
  await close();
});

test("a film of what the device paints, with nothing new on its canvas in some frames", async () => {
  const { page, faults, close } = await open("?backend=gpu&autoplay=1#v=1&m=ula&target=banana&n=512&speed=5");
  const seen = await filmed(page, () => page.waitForTimeout(3000));
  assert.ok(seen.drawn && seen.moved && seen.seconds >= 1, JSON.stringify(seen));
  clean(faults);
  await close();
});
