// @ts-check
// The page opens on the banana and its particles reach the target; the run's own controls do what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FAST, clean, enter, hash, hashHas, open, reached, run, saved, stageHas, started, useBrowser } from "./harness.mjs";

useBrowser();

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

test("opens on SVGD and a banana, plays, and asks nothing of other origins", async () => {
  const { page, faults, close } = await open("");
  assert.match(await page.title(), /Pushforward/);
  assert.match(await hash(page), /^v=1&m=svgd&target=banana/);
  await reached(page, 20);
  assert.equal((await run(page)).where, "worker");
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute("content");
  assert.match(policy ?? "", /default-src 'none'/);
  assert.doesNotMatch(policy ?? "", /unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')/);
  clean(faults);
  await close();
});

test("particles reach the target: the exact mean and spread, and a small discrepancy", async () => {
  const steps = 2000;
  const { page, faults, close } = await open(`#v=1&m=svgd&target=banana&n=256&step=1&seed=3&k=${steps}&${FAST}`);
  await stageHas(page, "state", "paused_at_k");
  assert.equal((await run(page)).step, steps);
  await stageHas(page, "metrics-step", String(steps));
  const { header, rows } = await saved(page, "particles");
  assert.deepEqual(header, ["x0", "x1"]);
  const [x, y] = [rows.map((row) => row[0]), rows.map((row) => row[1])];
  // x ~ N(0, 4) and y | x ~ N(x²/4 − 1, 1/4), so both means are 0. The tail fills last: what it still lacks at this step
  // lowers the mean of y and the variance of x.
  assert.ok(Math.abs(mean(x)) < 0.05, `mean of x ${mean(x)}`);
  assert.ok(Math.abs(mean(y)) < 0.1, `mean of y ${mean(y)}`);
  const variance = mean(x.map((value) => value * value)) - mean(x) ** 2;
  assert.ok(variance > 3.5 && variance < 4.2, `variance of x ${variance}`);
  const metrics = await saved(page, "metrics");
  const column = metrics.header.findIndex((name) => name.includes("ksd2"));
  const ksd2 = metrics.rows.map((row) => row[column]).filter((value) => Number.isFinite(value));
  assert.ok(ksd2[ksd2.length - 1] < 1e-3 && ksd2[0] > 0.1, `ksd2 from ${ksd2[0]} to ${ksd2[ksd2.length - 1]}`);
  clean(faults);
  await close();
});

test("the stage and the charts are not blank", async () => {
  const { page, close } = await open("#v=1&m=svgd&target=banana&k=50");
  await stageHas(page, "state", "paused_at_k");
  for (const selector of ["#stage", ".chart canvas"]) {
    const picture = (await page.locator(selector).first().screenshot()).toString("base64");
    const colours = await page.evaluate(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const ctx = canvas.getContext("2d");
      if (!ctx) return 0;
      ctx.drawImage(image, 0, 0);
      const { data: pixels } = ctx.getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set();
      for (let i = 0; i < pixels.length; i += 4) seen.add((pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2]);
      return seen.size;
    }, picture);
    assert.ok(colours > 20, `${selector} has ${colours} colours`);
  }
  await close();
});

test("reset returns to the same initial state, a new seed does not, a live edit drops the digest", async () => {
  const { page, faults, close } = await open(`#v=1&m=svgd&target=banana&n=64&k=30&${FAST}`);
  await stageHas(page, "state", "paused_at_k");
  const first = (await run(page)).digest;
  assert.ok(first, "a paused run has a digest");
  await page.locator("#reset").click();
  await stageHas(page, "step", "0");
  const initial = await saved(page, "particles");
  await page.locator("#play").click();
  await stageHas(page, "state", "paused_at_k");
  assert.equal((await run(page)).digest, first);

  await page.locator("#seed").click();
  await hashHas(page, "seed=");
  await stageHas(page, "step", "0");
  assert.notDeepEqual((await saved(page, "particles")).rows, initial.rows);

  await page.locator("#play").click();
  await stageHas(page, "state", "paused_at_k");
  await enter(page, "step", "0.02");
  await page.locator("#status", { hasText: "edited at step 30" }).waitFor();
  assert.equal((await run(page)).digest, "");
  clean(faults);
  await close();
});

test("step, pause and speed", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  assert.deepEqual([(await run(page)).step, (await run(page)).playing], [0, false]);
  for (const expected of ["1", "2"]) {
    await page.locator("#step").click();
    await stageHas(page, "step", expected);
  }
  await page.locator("#play").click();
  await stageHas(page, "playing", "true");
  await reached(page, 10);
  await page.locator("#play").click();
  await stageHas(page, "playing", "false");
  const { step } = await run(page);
  await page.waitForTimeout(300);
  assert.equal((await run(page)).step, step);
  const words = await page.locator("#speed option").allTextContents();
  assert.ok(words.includes("fastest"));
  await page.locator("#speed").selectOption({ label: "fastest" });
  await hashHas(page, FAST);
  clean(faults);
  await close();
});

test("reduced motion starts paused", async () => {
  const { page, close } = await open("", { reducedMotion: "reduce" });
  assert.equal((await run(page)).playing, false);
  assert.equal((await run(page)).step, 0);
  await close();
});

test("a hidden tab pauses and goes on", async () => {
  const { page, close } = await open(`#v=1&m=svgd&target=banana&${FAST}`);
  await reached(page, 5);
  /** @param {string} state */
  const turn = (state) => page.evaluate((value) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => value });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  await turn("hidden");
  await page.waitForTimeout(400);
  const { step } = await run(page);
  await page.waitForTimeout(400);
  assert.equal((await run(page)).step, step);
  await turn("visible");
  await reached(page, step + 5);
  await close();
});

test("keyboard: space, n, r, Shift R, ?, and the switch that turns them off", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await page.keyboard.press("n");
  await stageHas(page, "step", "1");
  await page.keyboard.press("r");
  await stageHas(page, "step", "0");
  await page.keyboard.press("Space");
  await stageHas(page, "playing", "true");
  await page.keyboard.press("Space");
  await stageHas(page, "playing", "false");
  const before = await hash(page);
  await page.keyboard.press("Shift+R");
  await page.waitForFunction((old) => location.hash.slice(1) !== old, before);
  await page.keyboard.press("c");
  await hashHas(page, ";");
  assert.equal(await page.locator("#panes button").count(), 2);
  await page.keyboard.press("c");
  await page.waitForFunction(() => !location.hash.includes(";"));
  await page.keyboard.press("?");
  await page.locator("#keys[open]").waitFor();
  await page.locator("#keys-on").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.waitForTimeout(200);
  assert.equal((await run(page)).step, 0);
  clean(faults);
  await close();
});

test("a phone has no horizontal scroll, and every control is reachable", async () => {
  for (const width of [320, 390]) {
    const { page, faults, close } = await open("", { viewport: { width, height: 844 }, isMobile: true, hasTouch: true });
    await started(page);
    const { scroll, inner } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, inner: innerWidth }));
    assert.ok(scroll <= inner, `${scroll} > ${inner} at ${width}`);
    assert.equal(inner, width);
    await page.locator("#p-n").scrollIntoViewIfNeeded();
    clean(faults);
    await close();
  }
});

test("a link with a digest is reproduced, or the page says how it differs", async () => {
  const link = "v=1&m=svgd&target=banana&n=64&k=20";
  const { page, faults, close } = await open(`#${link}`);
  await stageHas(page, "state", "paused_at_k");
  const { digest } = await run(page);
  assert.ok(digest);
  for (const [claimed, word] of [[digest, "reproduced"], [digest.replace(/.$/, (last) => (last === "0" ? "1" : "0")), "differs"]]) {
    await page.evaluate((value) => (location.hash = value), `${link}&digest=${claimed}`);
    await page.locator("#status", { hasText: word }).waitFor();
  }
  clean(faults);
  await close();
});

test("where WebGPU has no adapter, the badge says so", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  const badge = page.locator("#badge");
  assert.match(await badge.innerText(), /^CPU/);
  assert.match((await badge.getAttribute("data-tip")) ?? "", /no adapter/);
  clean(faults);
  await close();
});
