// @ts-check
// What stands where the program does not run: before a click, without wasm, in a saved file, in print.
import assert from "node:assert/strict";
import { readFile, writeFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { SIZE, draw, manifestOf, webp } from "./drawing.mjs";
import { clean, newPage, open, origin, stageHas, started, useBrowser } from "./harness.mjs";
import { root, serve } from "./site.mjs";

useBrowser();

/** @typedef {import("playwright-core").Page} Page */

/** @returns {Promise<{ demo: string, presets: Record<string, { file: string, step: number }> }>} */
const index = async () => JSON.parse(await readFile(path.join(root, "www/posters/index.json"), "utf8"));

/** The picture that the curtain shows, once it is there. @param {Page} page @param {string} [selector] */
async function shown(page, selector = "#curtain img") {
  const image = page.locator(selector);
  await image.waitFor();
  await page.waitForFunction((wanted) => Number(document.querySelector(wanted)?.naturalWidth) > 0, /** @type {any} */ (selector));
  return (await image.getAttribute("src")) ?? "";
}

/**
 * How far two pictures lie apart: of small copies, the mean difference of a channel, from 0 to 255.
 * @param {Page} page
 * @param {Buffer} a
 * @param {Buffer} b
 */
const apart = (page, a, b) => page.evaluate(async (texts) => {
  const [first, second] = await Promise.all(texts.map(async (text) => {
    const image = new Image();
    image.src = `data:image/webp;base64,${text}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 40 });
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ctx.imageSmoothingQuality = "high";
    ctx.drawImage(image, 0, 0, 64, 40);
    return ctx.getImageData(0, 0, 64, 40).data;
  }));
  return first.reduce((sum, value, i) => sum + Math.abs(value - second[i]), 0) / first.length;
}, [a.toString("base64"), b.toString("base64")]);

test("every preset has its picture; if not, run `cargo xtask bless --only posters`", async () => {
  const { page, close } = await newPage();
  const { demo, systems } = await manifestOf(page, origin());
  const known = await index();
  const links = systems.flatMap(({ presets }) => presets.map(({ link }) => link));
  assert.deepEqual(links.filter((link) => !known.presets[link]), [], "presets without a picture");
  assert.equal(known.demo, demo);
  const files = [...new Set(Object.values(known.presets).map(({ file }) => file))];
  assert.equal(files.length, links.length, "pictures of presets that are no more");
  for (const file of files) for (const theme of ["light", "dark"]) assert.ok((await readFile(path.join(root, `www/posters/${file}.${theme}.webp`))).length > 1000, file);
  await close();
});

test("a picture shows what the program draws", async () => {
  const { page, close } = await newPage({ viewport: { width: SIZE.width, height: SIZE.height }, deviceScaleFactor: SIZE.ratio });
  const { presets } = await index();
  const all = Object.entries(presets);
  const [[link, { file, step }], [, other]] = [all[0], all[all.length - 1]];
  assert.equal((await draw(page, origin(), link, step)).step, step);
  const now = await webp(page);
  const kept = (/** @type {string} */ name) => readFile(path.join(root, `www/posters/${name}.light.webp`));
  const [own, foreign] = [await apart(page, now, await kept(file)), await apart(page, now, await kept(other.file))];
  // Fonts and compression differ by machine; another demo differs by an order of magnitude more.
  assert.ok(own < 2 && foreign > 3 * Math.max(own, 1), `${file}: ${own.toFixed(2)} away, ${other.file}: ${foreign.toFixed(2)}`);
  await close();
});

test("before a click: the picture of the demo, nothing of the program", async () => {
  const { presets } = await index();
  const [[link, { file }]] = Object.entries(presets);
  const { page, faults, close } = await newPage();
  /** @type {string[]} */
  const fetched = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.goto(`${origin()}/?embed=1&load=click&theme=dark#${link}&k=3&speed=1e6`);
  assert.ok((await shown(page)).endsWith(`posters/${file}.dark.webp`));
  assert.equal(await page.locator("#curtain small").textContent(), "", "it is this very demo");
  assert.equal(fetched.some((url) => url.endsWith(".wasm")), false);
  await page.locator("#poster").click();
  await started(page);
  await stageHas(page, "state", "paused_at_k");
  assert.equal(await page.locator("#curtain").isVisible(), false);
  clean(faults);
  await close();
});

test("a demo that is no preset is told from the one on the picture, and an unknown system has none", async () => {
  const { page, faults, close } = await newPage();
  await page.goto(`${origin()}/?embed=1&load=click&theme=light#v=1&m=svgd&target=banana&n=77`);
  assert.match(await shown(page), /posters\/svgd-\d\.light\.webp$/);
  await page.locator("#curtain small", { hasText: "another setting" }).waitFor();
  await page.goto(`${origin()}/?embed=1&load=click&x=1#v=1&m=teapot`);
  await page.locator("#poster").waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.locator("#curtain img").count(), 0);
  clean(faults);
  await close();
});

test("where wasm does not load, the reason stands before the picture", async () => {
  const { presets } = await index();
  const [[link]] = Object.entries(presets);
  const { page, close } = await newPage();
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(`${origin()}/?embed=1#${link}`);
  await page.locator("#curtain", { hasText: "did not start" }).waitFor();
  await shown(page);
  await close();
});

test("a saved file has its picture inside, for a click and for browsers without scripts", async () => {
  const { page, faults, close } = await open("#v=1&m=svgd&target=banana&n=64&k=40&speed=1e6");
  await stageHas(page, "state", "paused_at_k");
  await page.locator("#share").click();
  await page.locator("#share-tab-file").click();
  await page.locator("#share-click").check();
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as HTML", exact: true }).click();
  const bytes = await readFile(await (await coming).path());
  clean(faults);
  await close();
  const file = path.join(await mkdtemp(path.join(tmpdir(), "pushforward-")), "demo.html");
  await writeFile(file, bytes);
  for (const javaScriptEnabled of [false, true]) {
    const alone = await newPage({ offline: true, javaScriptEnabled });
    await alone.page.goto(pathToFileURL(file).href);
    const image = alone.page.locator("#curtain img");
    await image.waitFor();
    assert.match((await image.getAttribute("src")) ?? "", /^data:image\/webp;base64,/);
    assert.ok(Number((await image.boundingBox())?.width) > 200);
    if (javaScriptEnabled) {
      await alone.page.locator("#poster").click();
      await started(alone.page);
      await stageHas(alone.page, "state", "paused_at_k");
    }
    clean(alone.faults);
    await alone.close();
  }
});

test("snippets carry a picture on demand; a printed deck shows it and starts nothing", async () => {
  const { demo } = await index();
  const { page, faults, close } = await open(`?autoplay=0#${demo}`);
  await page.locator("#share").click();
  await page.locator("#share-tab-slide").click();
  assert.doesNotMatch(await page.locator("#copy-html").inputValue(), /background/);
  await page.locator("#share-picture").check();
  await page.waitForFunction(() => /** @type {HTMLTextAreaElement} */ (document.getElementById("copy-html")).value.includes("background"));
  assert.match(await page.locator("#copy-html").inputValue(), /background: url\(http[^)]*posters\/[^)]*\.webp\)/);
  const snippet = await page.locator("#copy-customelement").inputValue();
  assert.match(snippet, / poster="http[^"]*posters\/[^"]*\.webp"/);
  clean(faults);
  await close();

  const deck = await serve({ "/": { type: "text/html", text: `<!doctype html><title>Deck</title><div style="width: 640px">${snippet}</div>` } });
  for (const query of ["", "?print-pdf", "?view=print"]) {
    const slides = await newPage();
    await slides.page.goto(`${deck.url}/${query}`);
    await shown(slides.page, "pushforward-demo img");
    assert.equal(await slides.page.locator("pushforward-demo iframe").count(), query ? 0 : 1);
    const box = await slides.page.locator("pushforward-demo img").boundingBox();
    assert.deepEqual([box?.width, box?.height], [640, 360]);
    await slides.close();
  }
  // Of a demo that no picture is of, the stage itself goes along.
  const own = await open("?autoplay=0#v=1&m=svgd&target=ring&n=50");
  await own.page.locator("#share").click();
  await own.page.locator("#share-tab-slide").click();
  await own.page.locator("#share-picture").check();
  await own.page.waitForFunction(() => /** @type {HTMLTextAreaElement} */ (document.getElementById("copy-html")).value.includes("background: url(data:image/webp;base64,"));
  clean(own.faults);
  await own.close();
  deck.close();
});

test("what is said to the element before its demo is ready is said then", async () => {
  const { demo } = await index();
  const { page, close } = await newPage();
  await page.setContent(`<script src="${origin()}/pushforward-demo.js"></script><pushforward-demo link="${demo.replaceAll("&", "&amp;")}" options="autoplay=0"></pushforward-demo>`);
  const state = await page.evaluate(() => /** @type {any} */ (document.querySelector("pushforward-demo")).step(3).then(() => /** @type {any} */ (document.querySelector("pushforward-demo")).get()));
  assert.equal(state.type, "state");
  await close();
});
