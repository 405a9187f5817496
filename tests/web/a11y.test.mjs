// @ts-check
// Accessibility: no violation that axe-core finds, on every page and dialog, in every theme; the whole page by keyboard; touch.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { clean, hash, hashHas, newPage, open, origin, reached, run, stageHas, useBrowser } from "./harness.mjs";

useBrowser();

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * @param {import("playwright-core").Page} page
 * @param {string} where
 * @param {string[]} all what was found so far
 */
async function violations(page, where, all) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations: own } = await /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] });
    return own.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => `${node.target.join(" ")} (${node.any[0]?.message ?? node.all[0]?.message ?? ""})`).join("; ")}`);
  });
  all.push(...found.map((/** @type {string} */ one) => `${where}: ${one}`));
}

const SIZES = [
  { name: "wide", options: { viewport: { width: 1280, height: 800 } } },
  { name: "phone", options: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } },
];

for (const theme of ["light", "dark", "projector"]) {
  for (const { name, options } of SIZES) {
    test(`no violation: ${theme}, ${name}`, async () => {
      const { page, faults, close } = await open(`?theme=${theme}&autoplay=0#v=1&m=svgd&target=banana&n=64;step=0.1`, options);
      /** @type {string[]} */
      const found = [];
      await violations(page, "page", found);
      await page.locator("#tab-about").click();
      await page.locator("#about .citation").waitFor();
      await violations(page, "explanation", found);
      await page.locator(".chart summary").first().click();
      await violations(page, "table", found);
      await page.locator("#help").click();
      await violations(page, "help", found);
      await page.keyboard.press("Escape");
      await page.locator("#systems").click();
      await page.locator("#rooms img").first().waitFor();
      await violations(page, "systems", found);
      await page.keyboard.press("Escape");
      // The phone has its key only.
      await page.keyboard.press("w");
      await page.locator("#sweep-run").waitFor();
      await violations(page, "sweep", found);
      await page.keyboard.press("Escape");
      await page.locator("#share").click();
      for (const tab of ["link", "slide", "qr", "figure", "data", "file", "film"]) {
        await page.locator(`#share-tab-${tab}`).click();
        await page.waitForTimeout(150);
        await violations(page, `share, ${tab}`, found);
      }
      await page.locator(".options summary").click();
      await violations(page, "share, controls to hide", found);
      await page.keyboard.press("Escape");
      await page.locator("#tab-controls").click();
      await page.locator("#bring").click();
      await page.locator("#own-text").fill("name,a,b\nq,1,2\nr,3,4\n");
      await page.locator("#own table").waitFor();
      await violations(page, "own data", found);
      assert.deepEqual(found, []);
      clean(faults);
      await close();
    });
  }
  test(`no violation: embeds, ${theme}`, async () => {
    for (const query of ["?embed=1", "?embed=1&reveal=1", "?embed=1&ui=none", "?embed=1&load=click"]) {
      const { page, faults, close } = await newPage({ viewport: { width: 800, height: 450 } });
      await page.goto(`${origin()}/${query}&theme=${theme}&autoplay=0#v=1&m=svgd&n=64;;v=1&m=ula`);
      await page.locator(query.includes("click") ? "#poster" : '#app[data-boot="ready"] #stage[data-step]').waitFor();
      /** @type {string[]} */
      const found = [];
      await violations(page, query, found);
      assert.deepEqual(found, []);
      clean(faults);
      await close();
    }
  });
}

/**
 * Presses Tab until the element with the focus matches.
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 */
async function tabTo(page, selector) {
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}

test("the whole page by keyboard alone", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=ula&target=banana&n=64");
  await tabTo(page, "#systems");
  await page.keyboard.press("Enter");
  await page.locator("#gallery[open]").waitFor();
  await tabTo(page, '[data-system="svgd"]');
  await page.keyboard.press("Enter");
  await hashHas(page, "m=svgd");
  await tabTo(page, "#presets button");
  await page.keyboard.press("Space");
  await page.locator('#presets [aria-pressed="true"]').first().waitFor();
  await tabTo(page, "#stage");
  const view = await hash(page);
  await page.keyboard.press("+");
  await page.waitForFunction((before) => location.hash.slice(1) !== before, view);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("0");
  await page.waitForFunction(() => !location.hash.includes("view="));
  await tabTo(page, "#play");
  await page.keyboard.press("Space");
  await stageHas(page, "playing", "true");
  await reached(page, 3);
  await page.keyboard.press("Space");
  await stageHas(page, "playing", "false");
  await tabTo(page, "#reset");
  await page.keyboard.press("Enter");
  await stageHas(page, "step", "0");
  await tabTo(page, "#layers input");
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#layers input").first().isChecked(), false);
  await tabTo(page, ".chart summary");
  await page.keyboard.press("Enter");
  await page.locator(".chart details[open] table").waitFor();
  await tabTo(page, "#tab-controls");
  await page.keyboard.press("ArrowRight");
  await page.locator("#about .citation").waitFor();
  await page.keyboard.press("ArrowLeft");
  await tabTo(page, "#p-n");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("33");
  await page.keyboard.press("Enter");
  await hashHas(page, "n=33");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("PageUp");
  await page.waitForFunction(() => !location.hash.includes("n=33&") && !location.hash.endsWith("n=33"));
  await tabTo(page, "#bring");
  await page.keyboard.press("Enter");
  await tabTo(page, "#own-text");
  await page.keyboard.type("1,2\n3,4\n");
  await page.locator("#own .primary:enabled").waitFor();
  await tabTo(page, "#own .primary");
  await page.keyboard.press("Enter");
  await page.locator(".notice", { hasText: "2 particles" }).waitFor();
  // In a dialog the focus stays, and comes back after it.
  await page.locator("#share").focus();
  await page.keyboard.press("Enter");
  await page.locator("#share-dialog").waitFor();
  await page.locator("#share-tab-link").focus();
  await page.keyboard.press("ArrowRight");
  await page.locator("#copy-html").waitFor();
  await page.keyboard.press("End");
  await page.locator("#share-tab-film[aria-selected=true]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#share-dialog").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.id), "share");
  clean(faults);
  await close();
});

test("a live region tells how the run stands, not oftener than every ten seconds", async () => {
  const { page, faults, close } = await open("?autoplay=1#v=1&m=svgd&target=banana&n=64", {}, () => {
    document.addEventListener("DOMContentLoaded", () => {
      /** @type {string[]} */
      const spoken = [];
      Object.assign(window, { spoken });
      const summary = /** @type {HTMLElement} */ (document.getElementById("summary"));
      new MutationObserver(() => spoken.push(summary.textContent ?? "")).observe(summary, { childList: true, characterData: true, subtree: true });
    });
  });
  assert.equal(await page.locator("#summary").getAttribute("aria-live"), "polite");
  await reached(page, 150);
  const spoken = () => page.evaluate(() => /** @type {string[]} */ (/** @type {any} */ (window).spoken));
  assert.ok((await spoken()).length <= 2, `${await spoken()}`);
  await page.waitForFunction(() => /** @type {any} */ (window).spoken.some((/** @type {string} */ text) => /step [1-9]/.test(text)), undefined, { timeout: 20_000 });
  assert.match((await spoken()).at(-1) ?? "", /step \d+.*KSD/);
  clean(faults);
  await close();
});

test("touch: a tap places the cloud, a pinch zooms, a drag in draw mode draws", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=svgd&target=banana&n=64", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await page.locator("#stage").scrollIntoViewIfNeeded();
  const box = await page.locator("#stage").boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.touchscreen.tap(x + 40, y);
  await hashHas(page, "init_mean=");
  const client = await page.context().newCDPSession(page);
  const touch = (/** @type {"touchStart" | "touchMove" | "touchEnd"} */ type, /** @type {number[][]} */ points) =>
    client.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })) });
  await touch("touchStart", [[x - 30, y], [x + 30, y]]);
  for (let by = 30; by <= 80; by += 10) await touch("touchMove", [[x - by, y], [x + by, y]]);
  await touch("touchEnd", []);
  await hashHas(page, "view=");
  await page.locator("#draw").tap();
  await touch("touchStart", [[x - 60, y]]);
  for (let by = -60; by <= 60; by += 6) await touch("touchMove", [[x + by, y + 5]]);
  await touch("touchEnd", []);
  await hashHas(page, "data=");
  clean(faults);
  await close();
});

test("320 pixels wide: nothing sticks out, not even of the dialogs", async () => {
  const { page, faults, close } = await open("?autoplay=0", { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true });
  const fits = async (/** @type {string} */ where) => {
    const over = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll("dialog[open]")].map((each) => each.scrollWidth - each.clientWidth));
    assert.ok(over.every((by) => by <= 0), `${where}: ${over}`);
  };
  await fits("page");
  await page.locator("#share").click();
  for (const tab of ["link", "slide", "qr", "figure", "data", "file", "film"]) {
    await page.locator(`#share-tab-${tab}`).click();
    await fits(tab);
  }
  await page.keyboard.press("Escape");
  await page.locator("#help").click();
  await fits("help");
  await page.keyboard.press("Escape");
  await page.locator("#systems").click();
  await page.locator("#rooms img").first().waitFor();
  await fits("systems");
  assert.equal((await run(page)).state, "ready");
  clean(faults);
  await close();
});
