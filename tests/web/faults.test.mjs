// @ts-check
// When things break: a crashed worker, no workers at all, a run that diverges, an engine that keeps crashing.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FAST, KEEP_WORKERS, NO_WORKERS, clean, cleanButPanic, crash, enter, noticed, open, reached, run, stageHas, useBrowser,
} from "./harness.mjs";

useBrowser();

const SILENT_WORKERS = `window.Worker = class extends EventTarget {
  constructor() { super(); setTimeout(() => this.onerror?.(new ErrorEvent("error", { message: "blocked" })), 50); }
  postMessage() {}
  terminate() {}
};`;

test("a crashed worker keeps the run", async () => {
  const { page, faults, close } = await open(`#v=1&m=svgd&target=banana&${FAST}`, {}, KEEP_WORKERS);
  await reached(page, 50);
  await page.waitForTimeout(1500);
  const before = await run(page);
  await page.evaluate(() => {
    const stage = /** @type {HTMLElement} */ (document.getElementById("stage"));
    /** @type {number[]} */
    const steps = [];
    Object.assign(window, { steps });
    new MutationObserver(() => steps.push(Number(stage.dataset.step))).observe(stage, { attributes: true });
  });
  await crash(page);
  await noticed(page, "goes on from its last snapshot");
  await page.waitForFunction(() => /** @type {any} */ (window).workers.length === 2);
  await stageHas(page, "playing", "true");
  await reached(page, before.step + 10);
  const least = await page.evaluate(() => Math.min(.../** @type {any} */ (window).steps));
  assert.ok(least > 0, `after the crash the page told step ${least}`);
  const table = page.locator('[data-chart] details').first();
  await table.locator("summary").click();
  await table.locator("tbody tr").nth(3).waitFor();
  const first = await table.locator("tbody tr").last().innerText();
  assert.match(first, /^0\s/, "the curves still begin at step 0");
  assert.equal((await run(page)).where, "worker");
  cleanButPanic(faults);
  await close();
});

test("a paused run comes back at its snapshot, not at 0", async () => {
  const { page, close } = await open(`#v=1&m=svgd&target=banana&k=120&${FAST}`, {}, KEEP_WORKERS);
  await stageHas(page, "state", "paused_at_k");
  await page.waitForTimeout(1500);
  await crash(page);
  await page.waitForFunction(() => /** @type {any} */ (window).workers.length === 2);
  await noticed(page, "goes on from its last snapshot");
  await page.locator('#app[data-boot="ready"]').waitFor();
  await page.waitForTimeout(500);
  const { step } = await run(page);
  assert.ok(step > 0 && step <= 120, `step ${step}`);
  await page.locator("#step").click();
  await stageHas(page, "step", String(step + 1));
  await close();
});

test("three crashes in a row end the tries, and the page says so", async () => {
  const { page, close } = await open("?autoplay=0", {}, KEEP_WORKERS);
  for (let i = 1; i <= 3; i++) {
    await page.waitForFunction((count) => /** @type {any} */ (window).workers.length === count, i);
    await crash(page);
  }
  await noticed(page, "three times in a row");
  await close();
});

for (const [name, script] of [["throw", NO_WORKERS], ["never start", SILENT_WORKERS]]) {
  test(`where workers ${name}, the page computes by itself`, async () => {
    const { page, faults, close } = await open("#v=1&m=svgd&target=banana&n=128&k=40", {}, script);
    await stageHas(page, "where", "page");
    await stageHas(page, "state", "paused_at_k");
    assert.equal((await run(page)).step, 40);
    assert.match((await page.locator("#badge").innerText()), /no worker/);
    await page.locator("#reset").click();
    await stageHas(page, "step", "0");
    clean(faults);
    await close();
  });
}

test("the run without a worker is bit for bit that of the worker", async () => {
  const digests = [];
  for (const script of [undefined, NO_WORKERS]) {
    const { page, close } = await open("#v=1&m=svgd&target=banana&n=128&k=25", {}, script);
    await stageHas(page, "state", "paused_at_k");
    digests.push((await run(page)).digest);
    await close();
  }
  assert.ok(digests[0]);
  assert.equal(digests[0], digests[1]);
});

test("a run that diverges stops with its cause, and Reset works", async () => {
  const { page, faults, close } = await open(`?autoplay=0#v=1&m=ula&target=banana&n=200&${FAST}`);
  await enter(page, "step", "10");
  await page.locator("#play").click();
  await stageHas(page, "state", "diverged");
  await stageHas(page, "playing", "false");
  await noticed(page, "last good state");
  assert.match(await page.locator('[data-notice="diverged"]').innerText(), /step/);
  await page.locator("#reset").click();
  await stageHas(page, "step", "0");
  await stageHas(page, "state", "ready");
  assert.equal(await page.locator('[data-notice="diverged"]').count(), 0);
  clean(faults);
  await close();
});
