// @ts-check
// What the device paints on a canvas, against what the rasteriser paints of the same state: on a page's canvas and on one
// that a worker was given.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WEBGPU, launch, serveDist } from "./site.mjs";

/**
 * Runs `link` with the program at `site` on the device and compares its picture with the rasteriser's, which shows the same state.
 * @param {string} site
 * @param {string} link
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
 * @returns {Promise<{ size: number[], painted: number, apart: number, worst: number }>} in levels of 255: how far the particles
 *   change the ground, and how far the two pictures are apart
 */
async function compare(site, link, canvas) {
  const { init, addPart, partNames, open_device, Playground } = await import(`${site}/pkg/pushforward.js`);
  const compiled = (/** @type {string} */ end) => WebAssembly.compileStreaming(fetch(`${site}/pkg/pushforward_simd${end}.wasm`));
  const { memory } = await init({ module_or_path: await compiled("") });
  for (let i = 0; i < partNames.length; i++) addPart(i, await compiled(`.${partNames[i]}`));
  const playground = new Playground(link, await open_device(), "a test");
  playground.resize(300, 200, 1.5);
  playground.set_layers('{"trails":true}');
  playground.attach_canvas(canvas);
  // The host's trails grow by each step it knows, the device's by each picture.
  for (let step = 1; step <= 4; step++) {
    if (!playground.present()) throw new Error("the canvas has no room");
    while (playground.step() < step || !playground.is_settled()) {
      playground.advance(1e12, step - playground.step());
      playground.measure_here();
      await new Promise((done) => setTimeout(done, 20));
    }
  }
  if (!playground.present()) throw new Error("the canvas has no room");
  const { width, height } = canvas;
  const still = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (still.getContext("2d"));
  context.drawImage(canvas, 0, 0);
  const device = context.getImageData(0, 0, width, height).data;
  const pixels = () => new Uint8Array(memory.buffer, playground.pixels_ptr(), 4 * width * height);
  const ground = pixels().slice();
  playground.render();
  const host = pixels();
  let [painted, apart, worst] = [0, 0, 0];
  for (let i = 0; i < host.length; i++) {
    painted += Math.abs(host[i] - ground[i]) / host.length;
    apart += Math.abs(host[i] - device[i]) / host.length;
    worst = Math.max(worst, Math.abs(host[i] - device[i]));
  }
  return { size: [width, height], painted, apart, worst };
}

const LINKS = {
  discs: "v=1&m=svgd&target=banana&n=60&bandwidth=1",
  crowds: "v=1&m=ula&target=gaussian&n=3000&seed=3;m=mala&step=0.2",
};

/** @typedef {{ compare: string, site: string, link: string }} Task */

/**
 * Compares both pictures of every link.
 * @param {(task: Task) => ReturnType<typeof compare>} paint runs on a page
 */
async function check(paint) {
  const site = await serveDist();
  const browser = await launch(WEBGPU);
  try {
    for (const [name, link] of Object.entries(LINKS)) {
      const page = await browser.newPage();
      await page.goto(`${site.url}/blank`);
      const { size, painted, apart, worst } = await page.evaluate(paint, { compare: compare.toString(), site: site.url, link });
      assert.deepEqual(size, [450, 300], name);
      assert.ok(painted > 0.2, `${name}: ${painted} levels are hardly anything`);
      // As between rasteriser and painter natively: places rounded to quarters of a pixel, colours rounded down.
      assert.ok(apart < 0.15 * painted + 0.1 && worst <= 52, `${name}: apart by ${apart} of ${painted} levels, at worst by ${worst}`);
      await page.close();
    }
  } finally {
    await browser.close();
    site.close();
  }
}

test("the device paints a page's canvas as the rasteriser would", () =>
  check(({ compare, site, link }) => Function(`return ${compare}`)()(site, link, document.createElement("canvas"))));

test("the device paints a worker's canvas as the rasteriser would", () =>
  check(({ compare, site, link }) => {
    const text = `onmessage = ({ data }) => (${compare})(...data).then(postMessage, (error) => postMessage(String(error)));`;
    const worker = new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
    const canvas = document.createElement("canvas").transferControlToOffscreen();
    return new Promise((done, failed) => {
      worker.onmessage = ({ data }) => (typeof data === "string" ? failed(new Error(data)) : done(data));
      worker.onerror = (event) => failed(new Error(event.message));
      worker.postMessage([site, link, canvas], [canvas]);
    });
  }));
