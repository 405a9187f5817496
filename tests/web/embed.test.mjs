// @ts-check
// The self-contained file: from disk, in a sandboxed frame, and as an embed of the site.
import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { clean, newPage, open, origin, reached, run, stageHas, started, useBrowser } from "./harness.mjs";
import { root } from "./site.mjs";

useBrowser();

const LINK = "v=1&m=svgd&target=banana&n=128&k=30";

test("runs from disk without any request", async () => {
  const { page, faults, close } = await newPage();
  /** @type {string[]} */
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`${pathToFileURL(path.join(root, "dist/embed.html"))}#${LINK}`);
  await started(page);
  await stageHas(page, "state", "paused_at_k");
  assert.equal((await run(page)).step, 30);
  assert.deepEqual(requests.slice(1).filter((url) => !/^(blob|data):/.test(url)), []);
  clean(faults);
  await close();
});

test('runs in a frame with sandbox="allow-scripts"', async () => {
  const { page, faults, close } = await newPage();
  await page.setContent(`<iframe sandbox="allow-scripts" width="800" height="500" src="${origin()}/embed.html?ui=min#${LINK}"></iframe>`);
  await page.locator("iframe").waitFor();
  const frame = await (await page.locator("iframe").elementHandle())?.contentFrame();
  assert.ok(frame);
  await started(frame);
  await stageHas(frame, "state", "paused_at_k");
  assert.equal((await run(frame)).step, 30);
  await frame.locator("#reset").click();
  await stageHas(frame, "step", "0");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName === "IFRAME"), true, "the frame has the focus after a click only");
  clean(faults);
  await close();
});

test("an embed of the site shows the stage first, and all of it on request", async () => {
  const small = await open("?embed=1", { viewport: { width: 800, height: 500 } });
  assert.equal(await small.page.locator(".panel").isVisible(), false);
  assert.ok(await small.page.locator("#transport").isVisible());
  const { scroll, height } = await small.page.evaluate(() => ({ scroll: document.documentElement.scrollHeight, height: innerHeight }));
  assert.ok(scroll <= height, "an embed does not scroll");
  await reached(small.page, 5);
  clean(small.faults);
  await small.close();
  const full = await open("?embed=1&ui=full", { viewport: { width: 800, height: 500 } });
  assert.ok(await full.page.locator(".panel").isVisible());
  await full.close();
});
