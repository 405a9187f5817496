// @ts-check
// A sweep over one setting: started, watched, stopped and saved on the page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { clean, open, useBrowser } from "./harness.mjs";

useBrowser();

const LINK = "v=1&m=two-layer&d=3;train=output";

/**
 * @param {import("playwright-core").Page} page
 * @param {Record<string, string>} fields
 */
async function ask(page, fields) {
  if ((await page.locator("#sweep-dialog").count()) === 0) await page.locator("#sweep").click();
  await page.locator("#sweep-over").selectOption("neurons");
  for (const [name, value] of Object.entries(fields)) await page.locator(`#sweep-${name}`).fill(value);
  await page.locator("#sweep-run").click();
}

/** @param {import("playwright-core").Page} page @param {RegExp} said */
const says = (page, said) => page.locator("#sweep-dialog [role=status]").filter({ hasText: said }).waitFor();

test("a sweep draws its curve, has a table and is saved", async () => {
  const { page, faults, close } = await open(`#${LINK}`);
  await ask(page, { values: "2, 4, 9", seeds: "2", steps: "30" });
  await says(page, /^12 runs done$/);
  const cells = await page.locator("#sweep-dialog tbody tr").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => Number(cell.textContent))));
  assert.deepEqual(cells.map((row) => row[0]), [2, 4, 9]);
  for (const row of cells) {
    assert.equal(row.length, 9);
    for (const [low, mid, high, runs] of [row.slice(1, 5), row.slice(5)]) assert.ok(low <= mid && mid <= high && runs === 2, `${row}`);
  }
  const inked = await page.locator("canvas.sweep").evaluate((/** @type {HTMLCanvasElement} */ canvas) => {
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
  assert.ok(inked > 1000, `${inked} pixels`);
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  const saved = await readFile(await (await coming).path(), "utf8");
  assert.equal(saved.trim().split("\n").length, 4, saved);
  clean(faults);
  await close();
});

test("a sweep is stopped, and one that cannot be says why", async () => {
  const { page, faults, close } = await open(`#${LINK}`);
  await ask(page, { values: "few", seeds: "1", steps: "10" });
  await says(page, /few/);
  await ask(page, { values: "50, 400", seeds: "500", steps: "100000" });
  await says(page, /running/);
  await page.locator("#sweep-run").click();
  await says(page, /^stopped after \d+ of 2000 runs$/);
  await page.keyboard.press("Escape");
  await page.locator("#sweep-dialog").waitFor({ state: "detached" });
  await page.locator("#stage").waitFor();
  clean(faults);
  await close();
});
