// @ts-check
// Firefox with WebGPU and without: the front page's demo runs on the device there too, with the CPU's numbers.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { launchFirefox } from "./firefox.mjs";
import { serveDist } from "./site.mjs";

const skip = existsSync(process.env.FIREFOX ?? "/usr/bin/firefox-esr") ? false : "Firefox is not installed here";

/** @type {{ url: string, close: () => void }} */
let site;
before(async () => {
  site = await serveDist();
});
after(() => site?.close());

const DEMO = "#v=1&m=svgd&target=banana&n=128&init_mean=0,4&k=30";

/**
 * Opens the demo, runs `look` once it rests at its step, and says how it stood.
 * @template T
 * @param {"with" | "without"} webgpu
 * @param {string} address
 * @param {(page: import("puppeteer-core").Page) => Promise<T>} look
 */
async function visit(webgpu, address, look) {
  const browser = await launchFirefox(webgpu);
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 800 });
    await page.goto(`${site.url}/${address}`);
    await page.waitForFunction(() => document.getElementById("stage")?.dataset.state === "paused_at_k", { timeout: 90_000 });
    const badge = await page.evaluate(() => {
      const element = /** @type {HTMLElement} */ (document.getElementById("badge"));
      return { text: element.textContent ?? "", tip: element.dataset.tip ?? "" };
    });
    return { badge, seen: await look(page) };
  } finally {
    await browser.close();
  }
}

/**
 * The particles that the page would save.
 * @param {import("puppeteer-core").Page} page
 */
const particles = (page) =>
  page.evaluate(async () => {
    /** @type {Promise<string>} */
    const text = new Promise((done) => {
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        void /** @type {Blob} */ (blob).text().then(done);
        return make(blob);
      };
    });
    /** @type {HTMLElement} */ (document.querySelector('[data-save="particles"]')).click();
    return (await text).trim().split("\n").slice(1).flatMap((line) => line.split(",").map(Number));
  });

/**
 * Share of the stage's pixels that have the particles' colour.
 * @param {import("puppeteer-core").Page} page
 */
async function coloured(page) {
  const handle = await page.$("#stage");
  const text = await handle?.screenshot({ encoding: "base64" });
  return page.evaluate(async (picture) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += Number(data[i] - data[i + 2] > 100);
    return (4 * count) / data.length;
  }, text ?? "");
}

test("with WebGPU the demo runs on the device: numbers and pixels", { skip, timeout: 240_000 }, async () => {
  const look = async (/** @type {import("puppeteer-core").Page} */ page) => ({ pixels: await coloured(page), numbers: await particles(page) });
  const device = await visit("with", `?backend=gpu${DEMO}`, look);
  assert.match(device.badge.tip, /asks for the GPU/);
  const host = await visit("without", `?backend=cpu${DEMO}`, look);
  assert.match(host.badge.text, /^CPU/);
  const apart = Math.max(...device.seen.numbers.map((x, i) => Math.abs(x - host.seen.numbers[i])));
  assert.equal(device.seen.numbers.length, 256);
  assert.ok(apart < 1e-3, `apart by ${apart}`);
  const [drawn, expected] = [device.seen.pixels, host.seen.pixels];
  assert.ok(expected > 0.002 && Math.abs(drawn - expected) < 0.2 * expected, `${drawn} of the stage is particles, on the CPU ${expected}`);
});

test("without WebGPU the page runs on the CPU and says why", { skip, timeout: 120_000 }, async () => {
  const { badge } = await visit("without", DEMO, async () => {});
  assert.match(badge.text, /^CPU/);
  assert.match(badge.tip, /no WebGPU/);
});
