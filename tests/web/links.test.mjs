// @ts-check
// The address bar: what it says is opened, what is changed it says, and nothing in it breaks the page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { clean, enter, hash, hashHas, open, run, started, stageHas, useBrowser } from "./harness.mjs";
import { randomly, root } from "./site.mjs";

useBrowser();

const DEMO = /^v=1&m=svgd&target=banana/;

test("changed controls are in the link, and the link brings them back", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await enter(page, "n", "77");
  await hashHas(page, "n=77");
  await enter(page, "kernel", "imq");
  await hashHas(page, "kernel=imq");
  await enter(page, "step", "0.013");
  await hashHas(page, "step=0.013");
  const link = await hash(page);
  await page.reload();
  await started(page);
  assert.equal(await hash(page), link);
  for (const [key, value] of [["n", "77"], ["kernel", "imq"], ["step", "0.013"]]) {
    assert.equal(await page.locator(`#p-${key}`).inputValue(), value);
  }
  assert.ok(await page.locator("#p-beta").isVisible(), "β belongs to the inverse multiquadric");
  clean(faults);
  await close();
});

test("golden links open in their canonical form", async () => {
  const text = await readFile(path.join(root, "tests/golden/links.txt"), "utf8");
  const entries = [...text.matchAll(/^> (.*)\n= (.*)\n((?:! .*\n)*)/gm)];
  assert.ok(entries.length > 5);
  const { page, faults, close } = await open("?autoplay=0");
  for (const [, link, canonical, problems] of entries.slice(0, 24)) {
    const wanted = link.includes("#") ? link.slice(link.indexOf("#") + 1) : link;
    await page.evaluate((value) => (location.hash = value), wanted);
    await page.waitForFunction((value) => location.hash.slice(1) === value, canonical).catch(async () => {
      assert.equal(await hash(page), canonical, `from ${link}`);
    });
    if (problems) assert.ok((await page.locator(".notice").count()) > 0, `${link} has no notice`);
  }
  clean(faults);
  await close();
});

test("a hostile link shows a notice and the default demo", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  for (const link of ["v=99", "%", "%ff%fe", "m=", "<script>alert(1)</script>", "v=1&m=nonsense", `v=1&m=${"x".repeat(20_000)}`]) {
    await page.evaluate((value) => (location.hash = value), link);
    await page.waitForFunction(() => location.hash.startsWith("#v=1&m=svgd&target=banana"));
    await page.locator(".notice.warning").first().waitFor();
    assert.match(await hash(page), DEMO);
  }
  clean(faults);
  await close();
});

test("an unknown key stays in the link, a value out of range is corrected, both noticed", async () => {
  const { page, close } = await open("?autoplay=0#v=1&m=svgd&target=banana&colour=red&step=-3");
  assert.match(await hash(page), /colour=red/);
  assert.equal(await page.locator(".notice.warning").count(), 2);
  await close();
});

test("10,000 random links raise no exception", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  const random = randomly(20250);
  const words = ["v=1", "m=svgd", "m=ula", "m=mala", "target=", "banana", "&", ";", ";;", "=", "%", "%00", "n=", "9", "1e400", "-", "NaN", "inf", "d=64", "seed=", "k=3",
    "data=", "view=1,2,3", "cov=1,2", "mean=", ",", "formula=", "x^", "((", "\u{1f600}", "digest=", "speed=0", "bandwidth=median", "init=file", "#", "?", "+"];
  const links = Array.from({ length: 10_000 }, () =>
    (random(3) ? "v=1&m=svgd&" : "") + Array.from({ length: random(9) }, () => words[random(words.length)]).join(random(2) ? "" : "&"));
  // A link that comes while another is being opened replaces the one that waits, as when someone types.
  for (let at = 0; at < links.length; at += 500) {
    await page.evaluate(async (batch) => {
      for (const [i, link] of batch.entries()) {
        location.hash = link;
        if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve));
      }
    }, links.slice(at, at + 500));
  }
  await page.evaluate(() => (location.hash = "v=1&m=svgd&n=33"));
  await page.waitForFunction(() => document.querySelector("#p-n") instanceof HTMLInputElement && /** @type {HTMLInputElement} */ (document.querySelector("#p-n")).value === "33");
  assert.equal(await page.locator('[data-boot="ready"]').count(), 1);
  assert.equal((await run(page)).where, "worker");
  assert.equal(await page.locator('[data-notice="crash"]').count(), 0, "the program crashed on a link");
  clean(faults);
  await close();
});

test("presets and systems open from the page", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await page.locator("#systems").click();
  const systems = page.locator("#rooms [data-system]");
  assert.ok((await systems.count()) >= 3);
  await page.locator('#rooms [data-system="ula"]').click();
  await hashHas(page, "m=ula");
  await stageHas(page, "step", "0");
  const presets = page.locator("#presets button");
  assert.ok((await presets.count()) >= 1);
  await presets.first().click();
  await page.locator('#presets [aria-pressed="true"]').first().waitFor();
  await page.locator("#tab-about").click();
  await page.locator("#about .citation").waitFor();
  clean(faults);
  await close();
});

test("the page's own options: interface, theme, hidden and locked controls", async () => {
  const { page, faults, close } = await open("?theme=projector&hide=seed,layers&lock=n&scale=1.5&autoplay=0");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "projector");
  assert.equal(await page.locator("#layers").isVisible(), false);
  assert.equal(await page.locator("#p-seed").isVisible(), false);
  assert.ok(await page.locator("#p-n").isDisabled());
  await page.locator("#theme").click();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "light");
  clean(faults);
  await close();
  const bare = await open("?ui=none");
  assert.equal(await bare.page.locator("#transport").isVisible(), false);
  assert.ok(await bare.page.locator("#stage").isVisible());
  await bare.close();
});
