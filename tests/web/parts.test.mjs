// @ts-check
// The program in parts: what the opening downloads, when the rest comes, and what happens where it does not.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KEEP_WORKERS, NO_WORKERS, clean, cleanButPanic, crash, dropFile, enter, hashHas, noticed, open, reached, requested, run, stageHas,
  useBrowser,
} from "./harness.mjs";

useBrowser();

/** A page that cannot fetch later parts; whoever asks for them otherwise gets them. */
const NO_FETCH = `
  const fetched = window.fetch;
  window.fetch = (what, ...more) => String(what?.url ?? what).match(/\\.(common|rest)\\./) ? Promise.reject(new TypeError("no way")) : fetched(what, ...more);`;

/** Later parts requested since `before`, a value of `requested().length`. @param {number} before */
const parts = (before) => requested().slice(before).filter((path) => /\.\w+\.wasm$/.test(path)).map((path) => path.split(".")[1]).sort();
/** What a visitor without a device may need. */
const ALL = ["common", "rest"];

/** Waits until all later parts were requested since `before`. @param {number} before */
async function asked(before) {
  for (let i = 0; i < 100 && parts(before).length < ALL.length; i++) await new Promise((done) => setTimeout(done, 50));
}

test("the opening downloads one module, and nothing more until its visitor moves", async () => {
  for (const options of [{}, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3 }]) {
    const before = requested().length;
    const { page, faults, close } = await open("", { colorScheme: "light", serviceWorkers: "allow", ...options });
    await reached(page, 100);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 600, height: 700 });
    // Longer than the page waits before it keeps files for visits without a network.
    await page.waitForTimeout(5000);
    assert.deepEqual(requested().slice(before).map((path) => path.replace("_simd", "_relaxed")).sort(), [
      "/", "/app.js", "/app.js", "/pkg/pushforward_relaxed.wasm", "/style.css",
    ], "if a part is among them, record the opening: cargo xtask bless --only opening");
    await page.mouse.move(200, 200);
    await asked(before);
    assert.deepEqual(parts(before), ALL);
    clean(faults);
    await close();
  }
});

test("edits, links, files and crashes work after the opening, with each part downloaded once", async () => {
  const before = requested().length;
  const { page, faults, close } = await open("", {}, KEEP_WORKERS);
  await reached(page, 10);
  await enter(page, "step", "0.02");
  await hashHas(page, "step=0.02");
  await page.locator("#presets button").last().click();
  await page.evaluate(() => void (location.hash = "v=1&m=mala&target=ring&n=64"));
  await hashHas(page, "m=mala");
  await reached(page, 10);
  await dropFile(page, "three.csv", "x,y\n0,0\n1,1\n2,2\n");
  await noticed(page, "3 particles in 2 dimensions");
  await reached(page, 10);
  await page.waitForTimeout(1200);
  await crash(page);
  await page.waitForFunction(() => /** @type {any} */ (window).workers.length === 2);
  await stageHas(page, "playing", "true");
  await reached(page, (await run(page)).step + 10);
  await enter(page, "step", "0.01");
  await hashHas(page, "step=0.01");
  assert.deepEqual(parts(before), ALL);
  cleanButPanic(faults);
  await close();
});

test("another link brings all modules, once", async () => {
  const before = requested().length;
  const { page, faults, close } = await open("#v=1&m=ula&target=banana&n=100");
  await reached(page, 10);
  assert.deepEqual(parts(before), ALL);
  clean(faults);
  await close();
});

test("a part that could not be fetched ahead is loaded where it is called, in the worker and on the page", async () => {
  for (const [where, script] of [["worker", NO_FETCH], ["page", NO_FETCH + NO_WORKERS]]) {
    const before = requested().length;
    const { page, faults, close } = await open("#v=1&m=mala&target=ring&n=64", {}, script);
    await reached(page, 10);
    assert.equal((await run(page)).where, where);
    assert.match(await page.evaluate(() => location.hash), /m=mala/);
    assert.deepEqual(parts(before), ["rest"], "what is called, once");
    clean(faults);
    await close();
  }
});

test("without the rest the opening goes on, and says what it lacks", async () => {
  const { page, close } = await open("");
  await page.route(/\.(common|rest)\.wasm$/, (route) => route.abort());
  await reached(page, 10);
  await page.locator("#presets button").last().click();
  await noticed(page, "could not be loaded");
  const { step, state } = await run(page);
  await reached(page, step + 10);
  assert.equal(state, "ready");
  await page.unroute(/\.(common|rest)\.wasm$/);
  await enter(page, "step", "0.02");
  await hashHas(page, "step=0.02");
  await close();
});
