// @ts-check
// A real reveal.js deck on another origin with three demos: each runs on its own slide only, the deck keeps its keys, and
// fragments change a demo.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, newPage, origin, reached, run, stageHas, started, useBrowser } from "./harness.mjs";
import { serve } from "./site.mjs";

useBrowser();

const LINK = "v=1&m=svgd&target=banana&n=64&speed=300";

/** @param {string} site */
const deck = (site) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Deck</title>
<link rel="stylesheet" href="/reveal/reveal.css"></head><body>
<div class="reveal"><div class="slides">
<section id="one"><h2>One</h2><iframe id="plain" data-src="${site}/?embed=1&amp;autoplay=0&amp;id=plain#${LINK}" data-preload width="700" height="420" title="one"></iframe></section>
<section id="two"><h2>Two</h2><pushforward-demo id="element" link="${LINK}" title="two"></pushforward-demo>
  <p class="fragment" data-shown='{"type":"set","key":"n","value":33}' data-hidden='{"type":"set","key":"n","value":64}'>n = 33</p>
  <p class="fragment" data-shown='[{"type":"seek","k":40}]'>step 40</p></section>
<section id="three"><h2>Three</h2><iframe id="alone" data-src="${site}/embed.html?ui=min&amp;autoplay=0#${LINK}" data-preload sandbox="allow-scripts" width="700" height="420" title="three"></iframe></section>
</div></div>
<script src="/reveal/reveal.js"></script><script src="${site}/pushforward-demo.js"></script>
<script>window.ready = Reveal.initialize({ hash: false, transition: "none", width: 960, height: 700 });</script></body></html>`;

/** @param {import("playwright-core").Page} page @param {string} selector */
async function frameOf(page, selector) {
  const handle = await page.locator(selector).elementHandle();
  const frame = await handle?.contentFrame();
  assert.ok(frame, `${selector} has no document`);
  await started(frame);
  return frame;
}

/**
 * What a demo of the deck says of itself: its step, and its clock in seconds.
 * @param {import("playwright-core").Page} page
 * @param {string} id of the frame
 * @returns {Promise<{ step: number, clock: number }>}
 */
const says = (page, id) => page.evaluate((frame) => new Promise((resolve) => {
  const demo = /** @type {HTMLIFrameElement} */ (document.getElementById(frame)).contentWindow;
  const hear = (/** @type {MessageEvent} */ { data, source }) => {
    if (source !== demo || data.request !== "clock") return;
    removeEventListener("message", hear);
    resolve({ step: data.step, clock: data.clock });
  };
  addEventListener("message", hear);
  demo?.postMessage({ ns: "pushforward", v: 1, type: "get", request: "clock" }, "*");
}), id);

/** @param {import("playwright-core").Frame} frame */
async function stands(frame) {
  const before = (await run(frame)).step;
  await frame.waitForTimeout(500);
  return (await run(frame)).step === before;
}

test("a reveal.js deck with three demos", async () => {
  const host = await serve({ "/": { text: deck(origin()), type: "text/html" }, "/reveal/": { folder: "tests/web/node_modules/reveal.js/dist" } });
  const { page, faults, close } = await newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(host.url);
  await page.waitForFunction(() => /** @type {any} */ (window).Reveal?.isReady());
  const slide = () => page.evaluate(() => /** @type {any} */ (window).Reveal.getCurrentSlide().id);
  const [one, two, three] = [await frameOf(page, "#plain"), await frameOf(page, "#element iframe"), await frameOf(page, "#alone")];

  await stageHas(one, "playing", "true");
  await reached(one, 5);
  assert.ok((await stands(two)) && (await stands(three)), "the other slides' demos stand still");
  assert.deepEqual([(await run(two)).step, (await run(three)).step], [0, 0]);
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true, "no demo took the focus");

  // The demo has the focus, and the clicker still moves the deck.
  await one.locator("#clock").click();
  await one.locator("#stage").focus();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "plain");
  await page.keyboard.press("PageDown");
  await page.waitForFunction(() => /** @type {any} */ (window).Reveal.getCurrentSlide().id === "two");
  await stageHas(one, "playing", "false");
  assert.ok(await stands(one), "slide:stop freezes the step");
  const frozen = await says(page, "plain");
  await page.waitForTimeout(600);
  assert.deepEqual(await says(page, "plain"), frozen, "slide:stop freezes the clock");
  assert.ok(frozen.clock > 0);
  await reached(two, 5);
  await two.locator("#stage").focus();
  await page.keyboard.press("PageUp");
  await page.waitForFunction(() => /** @type {any} */ (window).Reveal.getCurrentSlide().id === "one");
  await stageHas(two, "playing", "false");
  const back = performance.now();
  const stopped = (await run(one)).step;
  await reached(one, stopped + 5);
  const on = await says(page, "plain");
  const since = (performance.now() - back) / 1000;
  // It goes on from where it stood: the seconds on the other slide are not made up for. A second more is the page's own delay.
  assert.ok(on.clock > frozen.clock && on.clock < frozen.clock + since + 1, `${frozen.clock} s, then ${on.clock} s after ${since} s`);
  assert.ok(on.step - frozen.step <= 300 * (on.clock - frozen.clock) + 31, `${on.step - frozen.step} steps in ${on.clock - frozen.clock} s`);
  await one.locator("#stage").focus();
  await page.keyboard.press("PageDown");
  await page.waitForFunction(() => /** @type {any} */ (window).Reveal.getCurrentSlide().id === "two");

  // Fragments: a parameter, back again, and a step.
  await two.locator("#stage").focus();
  await page.keyboard.press("PageDown");
  await two.waitForFunction(() => location.hash.includes("n=33"));
  assert.equal(await slide(), "two");
  await page.keyboard.press("PageUp");
  await two.waitForFunction(() => location.hash.includes("n=64"));
  await page.keyboard.press("PageDown");
  await two.waitForFunction(() => location.hash.includes("n=33"));
  await page.keyboard.press("PageDown");
  await stageHas(two, "state", "paused_at_k");
  assert.equal((await run(two)).step, 40);

  await page.keyboard.press("PageDown");
  await page.waitForFunction(() => /** @type {any} */ (window).Reveal.getCurrentSlide().id === "three");
  await reached(three, 5);
  assert.ok((await stands(one)) && (await stands(two)));
  clean(faults.filter((fault) => !fault.startsWith(`foreign request: ${host.url}`)));
  await close();
  host.close();
});
