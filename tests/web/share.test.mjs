// @ts-check
// What leaves the page, read by other programs: links and QR codes, pictures, data, the standalone file, the site without a network.
import assert from "node:assert/strict";
import { readFile, writeFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { Resvg } from "@resvg/resvg-js";
import jsQR from "jsqr";
import { filmed } from "./film.mjs";
import { KEEP_WORKERS, NO_WORKERS, clean, cleanButPanic, crash, dropFile, newPage, noticed, open, origin, run, stageHas, started, useBrowser } from "./harness.mjs";
import { serve } from "./site.mjs";

useBrowser();

const K = 40;
const LINK = `v=1&m=svgd&target=banana&n=64&seed=11&k=${K}&speed=1e6`;

/** @param {import("playwright-core").Page} page @param {string} tab */
async function shareTab(page, tab) {
  if ((await page.locator("#share-dialog").count()) === 0) await page.locator("#share").click();
  await page.locator(`#share-tab-${tab}`).click();
}

/** @param {import("playwright-core").Page} page @param {string} name of a button */
async function download(page, name) {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name, exact: true }).click();
  const file = await coming;
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

/**
 * The texts of a PNG file, and its size.
 * @param {Buffer} png
 */
function pngTexts(png) {
  /** @type {Record<string, string>} */
  const texts = {};
  for (let at = 8; at < png.length; ) {
    const [length, type] = [png.readUInt32BE(at), png.toString("latin1", at + 4, at + 8)];
    const body = png.subarray(at + 8, at + 8 + length);
    if (type === "iTXt") texts[body.toString("latin1", 0, body.indexOf(0))] = body.toString("utf8", body.indexOf(0) + 5);
    at += 12 + length;
  }
  return { texts, width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}

/**
 * Blobs of one colour in a rendered picture: connected pixels close to it.
 * @param {{ pixels: Uint8Array, width: number, height: number }} image
 * @param {number[]} colour
 */
function blobs({ pixels, width, height }, colour) {
  const near = (/** @type {number} */ i) => colour.every((value, c) => Math.abs(pixels[4 * i + c] - value) < 60);
  const seen = new Uint8Array(width * height);
  let found = 0;
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || !near(start)) continue;
    found += 1;
    const stack = [start];
    while (stack.length) {
      const at = /** @type {number} */ (stack.pop());
      if (seen[at] || !near(at)) continue;
      seen[at] = 1;
      const x = at % width;
      if (x > 0) stack.push(at - 1);
      if (x < width - 1) stack.push(at + 1);
      if (at >= width) stack.push(at - width);
      if (at + width < seen.length) stack.push(at + width);
    }
  }
  return found;
}

test("the QR code is read by another program, and says the link", async () => {
  const { page, faults, close } = await open(`?autoplay=0#v=1&m=svgd&target=banana&n=64`);
  await shareTab(page, "qr");
  const code = await page.locator(".qr img").getAttribute("src");
  const svg = decodeURIComponent((code ?? "").replace("data:image/svg+xml,", ""));
  const { pixels, width, height } = new Resvg(svg, { fitTo: { mode: "width", value: 600 } }).render();
  const read = jsQR(Uint8ClampedArray.from(pixels), width, height);
  await page.locator("#share-tab-link").click();
  assert.equal(read?.data, await page.locator("#copy-link").inputValue());
  assert.match(read?.data ?? "", /#v=1&m=svgd&target=banana&n=64$/);
  clean(faults);
  await close();
});

test("options change the link and the snippets", async () => {
  const { page, faults, close } = await open(`#${LINK}`);
  await stageHas(page, "state", "paused_at_k");
  await shareTab(page, "link");
  await page.locator("#share-here").check();
  await page.locator("#share-paused").check();
  await page.locator("#share-predict").check();
  await page.locator("#share-theme").selectOption("dark");
  await page.locator("#share-scale").selectOption("1.5");
  await page.locator(".options summary").click();
  await page.getByLabel("Hide Layers of the picture").check();
  await page.getByLabel("Lock New seed", { exact: true }).check();
  const link = await page.locator("#copy-link").inputValue();
  assert.match(link, /\?theme=dark&autoplay=0&scale=1.5&reveal=1&hide=layers&lock=seed#v=1.*&k=40.*&digest=/);
  await page.locator("#share-ui").selectOption("full");
  await page.locator("#share-click").check();
  await page.locator("#share-tab-slide").click();
  const html = await page.locator("#copy-html").inputValue();
  assert.match(html, /embed=1&amp;ui=full&amp;theme=dark.*load=click/);
  for (const part of ['title="', 'loading="lazy"', "aspect-ratio", "<a href="]) assert.ok(html.includes(part), part);
  assert.match(await page.locator("#copy-revealjs").inputValue(), /<section>[^]*<pushforward-demo link="v=1/);
  assert.match(await page.locator("#copy-quarto").inputValue(), /```\{=html\}/);
  // What the snippet says opens.
  await page.goto(link);
  await started(page);
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  assert.equal(await page.locator("#layers").isVisible(), false);
  await page.locator("#play").click();
  await page.locator("#status", { hasText: "reproduced" }).waitFor();
  clean(faults);
  await close();
});

test("the SVG is drawn by another program with every particle and the axes' names; a PNG says where it comes from", async () => {
  const { page, faults, close } = await open("?theme=light&autoplay=0#v=1&m=svgd&target=banana");
  // A grid of points that stay apart.
  const points = [-3, -1, 1, 3].flatMap((x) => [0, 2, 4].map((y) => `${x},${y}`));
  await dropFile(page, "grid.csv", points.join("\n"));
  await noticed(page, "12 particles");
  await shareTab(page, "figure");
  await page.locator("#figure-charts").uncheck();
  const { name, bytes } = await download(page, "Save as SVG");
  const svg = bytes.toString();
  assert.match(name, /^stein-variational-gradient-descent\.svg$/);
  assert.equal(svg.match(/<circle /g)?.length, 12);
  const role = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--c-particle"));
  const colour = [1, 3, 5].map((at) => Number.parseInt(role.trim().slice(at, at + 2), 16));
  const drawn = new Resvg(svg, { fitTo: { mode: "zoom", value: 2 }, font: { loadSystemFonts: true } }).render();
  assert.equal(blobs(drawn, colour), 12);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  assert.ok(texts.includes("x") && texts.includes("y"), `axis names among ${texts}`);
  assert.ok(texts.filter((text) => /^−?\d/.test(text)).length >= 6, "tick labels");
  const about = JSON.parse((/<metadata>([^<]*)</.exec(svg)?.[1] ?? "").replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
  assert.match(about.Source, /#v=1&m=svgd&target=banana/);
  assert.match(about.Software, /^Pushforward \d/);

  await page.locator("#figure-charts").check();
  await page.locator("#figure-scale").selectOption("3");
  const png = pngTexts((await download(page, "Save as PNG")).bytes);
  assert.match(png.texts.Source, /^http.*#v=1&m=svgd&target=banana/);
  assert.match(png.texts.Comment, /seed \d+, digest wasm32-/);
  const stage = await page.locator("#stage").evaluate((element) => element.clientHeight);
  assert.ok(png.height >= 3 * stage - 3, `${png.height} for a stage of ${stage}`);
  const charted = (await download(page, "Save as SVG")).bytes.toString().replace(/base64,[^"]*/, "");
  assert.ok(charted.includes("KSD²") && !charted.includes("NaN"));
  clean(faults);
  await close();
});

test("many particles are a picture in the SVG, and contours stay vectors", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=ula&target=banana&n=20000");
  await shareTab(page, "figure");
  await page.locator("#figure-charts").uncheck();
  const svg = (await download(page, "Save as SVG")).bytes.toString();
  assert.equal(svg.match(/<circle /g), null);
  assert.ok((svg.match(/<path fill="none" stroke/g)?.length ?? 0) >= 3, "contours and ticks");
  assert.ok(svg.includes("data:image/png;base64,"));
  clean(faults);
  await close();
});

test("data read back to the same digest, and JSON holds the same numbers", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=svgd&target=banana&n=64&seed=11");
  await shareTab(page, "data");
  const csv = (await download(page, "Particles as CSV")).bytes.toString();
  const json = JSON.parse((await download(page, "Everything as JSON")).bytes.toString());
  const rows = csv.trim().split("\n").slice(1).map((line) => line.split(",").map(Number));
  assert.deepEqual(json.panes[0].particles.map((/** @type {number[]} */ row) => row.map(Math.fround)), rows.map((row) => row.map(Math.fround)));
  const digest = async () => {
    await shareTab(page, "link");
    const text = await page.locator(".receipt dd").nth(2).textContent();
    await page.keyboard.press("Escape");
    return text;
  };
  const before = await digest();
  await page.locator("#seed").click();
  assert.notEqual(await digest(), before);
  await dropFile(page, "particles.csv", csv);
  await noticed(page, "64 particles");
  assert.equal(await digest(), before);
  await page.locator("#seed").click();
  await dropFile(page, "all.json", JSON.stringify(json));
  await page.locator("#own").getByRole("button", { name: "Use these points" }).click();
  await noticed(page, "64 particles");
  assert.equal(await digest(), before);
  clean(faults);
  await close();
});

test("the receipt: a second run by the same module has every bit, one by the plain module agrees within the tolerance", async () => {
  const { page, faults, close } = await open(`#${LINK}`);
  await stageHas(page, "state", "paused_at_k");
  await shareTab(page, "link");
  await page.getByRole("button", { name: "Run it again and compare" }).click();
  await page.locator("#receipt-verdict", { hasText: /Reproduced:/ }).waitFor();
  const text = (await page.locator("#receipt-verdict").textContent()) ?? "";
  assert.match(text, /^Reproduced: .*wasm32-relaxed-[0-9a-f]{8}.*plain module \(wasm32-simd-[0-9a-f]{8}\), agrees within the tolerance of 0.001/);
  clean(faults);
  await close();
});

test("the standalone file runs this very demo from a disk, and can be saved again from there", async () => {
  const { page, faults, close } = await open(`#${LINK}`);
  await stageHas(page, "state", "paused_at_k");
  await shareTab(page, "file");
  await page.locator("#share-theme").selectOption("projector");
  let { bytes } = await download(page, "Save as HTML");
  await close();
  clean(faults);
  const folder = await mkdtemp(path.join(tmpdir(), "pushforward-"));
  for (const generation of [1, 2]) {
    const file = path.join(folder, `demo${generation}.html`);
    await writeFile(file, bytes);
    const alone = await newPage({ offline: true });
    await alone.page.goto(pathToFileURL(file).href);
    await started(alone.page);
    await stageHas(alone.page, "state", "paused_at_k");
    assert.equal((await run(alone.page)).step, K);
    assert.equal(await alone.page.locator("html").getAttribute("data-theme"), "projector");
    await alone.page.locator("#app").evaluate((app) => (app.dataset.ui = "full"));
    await shareTab(alone.page, "file");
    await alone.page.locator("#share-theme").selectOption("projector");
    ({ bytes } = await download(alone.page, "Save as HTML"));
    clean(alone.faults);
    await alone.close();
  }
});

test("a second visit needs no network", async () => {
  const { page, faults, close } = await newPage({ serviceWorkers: "allow" });
  await page.goto(`${origin()}/#${LINK}`);
  await started(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(async () => {
    const [name] = await caches.keys();
    return name !== undefined && (await (await caches.open(name)).keys()).length > 5;
  });
  await page.context().setOffline(true);
  await page.reload();
  await started(page);
  await stageHas(page, "state", "paused_at_k");
  await shareTab(page, "link");
  await page.locator("#copy-link").waitFor();
  await page.context().setOffline(false);
  clean(faults);
  await close();
});

test("any path on a host: the page, its parts, and the addresses that it writes", async () => {
  const host = await serve({ "/some/where/": { folder: "dist" } });
  const { page, close } = await newPage();
  /** @type {string[]} */
  const missing = [];
  page.on("response", (response) => {
    if (response.status() >= 400) missing.push(response.url());
  });
  await page.goto(`${host.url}/some/where/index.html#${LINK}`);
  await started(page);
  await stageHas(page, "state", "paused_at_k");
  await shareTab(page, "link");
  assert.ok((await page.locator("#copy-link").inputValue()).startsWith(`${host.url}/some/where/#v=1`));
  await page.locator("#share-tab-slide").click();
  assert.match(await page.locator("#copy-revealjs").inputValue(), /\/some\/where\/pushforward-demo\.js/);
  await shareTab(page, "file");
  assert.ok((await download(page, "Save as HTML")).bytes.length > 100_000);
  assert.deepEqual(missing, []);
  await close();
  host.close();
});

for (const where of ["worker", "page", "crashing worker"]) {
  test(`a film of the stage, from a ${where}`, async () => {
    const { page, faults, close } = await open("#v=1&m=ula&target=banana&n=512", {}, where === "page" ? NO_WORKERS : KEEP_WORKERS);
    const seen = await filmed(page, async () => {
      if (where === "crashing worker") {
        await crash(page);
        await noticed(page, "goes on from its last snapshot");
      }
      await page.waitForTimeout(1500);
    });
    assert.ok(seen.drawn && seen.moved && seen.seconds >= 1, JSON.stringify(seen));
    cleanButPanic(faults);
    await close();
  });
}
