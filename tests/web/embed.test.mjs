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

test("an embed off the screen stands still, its clock too, and goes on when it is seen again", async () => {
  const { page, faults, close } = await newPage({ viewport: { width: 900, height: 600 } });
  await page.setContent(`<iframe width="800" height="500" src="${origin()}/?embed=1&autoplay=1&id=far#v=1&m=svgd&target=banana&n=64"></iframe><div id="far" style="height: 4000px"></div>`);
  await page.evaluate(() => {
    /** @type {any[]} */
    const said = [];
    Object.assign(window, { said });
    addEventListener("message", ({ data }) => said.push(data));
  });
  const frame = await (await page.locator("iframe").elementHandle())?.contentFrame();
  assert.ok(frame);
  await started(frame);
  await reached(frame, 5);
  const clock = () => page.evaluate(() => /** @type {any} */ (window).said.filter((/** @type {any} */ one) => one.type === "state").at(-1));
  await page.evaluate(() => scrollTo(0, 3000));
  await page.waitForTimeout(700);
  const left = await clock();
  assert.equal(left.id, "far", "every message names the demo");
  await page.waitForTimeout(1000);
  assert.deepEqual(await clock(), left);
  await page.evaluate(() => scrollTo(0, 0));
  await reached(frame, left.step + 5);
  await page.waitForTimeout(300);
  const back = await clock();
  assert.ok(back.clock > left.clock && back.clock < left.clock + 2, `${left.clock} s, then ${back.clock} s`);
  clean(faults);
  await close();
});

test("the policy of every page: nothing inline, nothing evaluated, nothing from elsewhere", async () => {
  for (const address of ["", "embed.html"]) {
    const { page, close } = await newPage();
    await page.addInitScript(() => {
      /** @type {string[]} */
      const refused = [];
      Object.assign(window, { refused });
      addEventListener("securitypolicyviolation", ({ effectiveDirective }) => refused.push(effectiveDirective));
    });
    await page.goto(`${origin()}/${address}?autoplay=0`);
    await started(page);
    const refused = () => page.evaluate(() => /** @type {any} */ (window).refused);
    assert.deepEqual(await refused(), [], "the page itself asks for nothing that its policy forbids");
    await page.evaluate(async () => {
      const add = (/** @type {string} */ name, /** @type {object} */ what) => document.body.append(Object.assign(document.createElement(name), what));
      add("script", { textContent: "window.inline = true" });
      add("script", { src: "http://127.0.0.1:9/x.js" });
      add("img", { src: "http://127.0.0.1:9/x.png" });
      add("iframe", { src: "http://127.0.0.1:9/" });
      add("style", { textContent: "body { color: red }" });
      const button = document.createElement("button");
      button.setAttribute("onclick", "window.inline = true");
      button.click();
      const timer = /** @type {any} */ (setTimeout);
      try { timer("window.inline = true"); } catch {}
      await fetch("http://127.0.0.1:9/").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    const found = new Set(await refused());
    for (const directive of ["script-src-elem", "script-src-attr", "script-src", "img-src", "frame-src", "style-src-elem", "connect-src"]) assert.ok(found.has(directive), `${address}: ${directive} among ${[...found]}`);
    assert.equal(await page.evaluate(() => "inline" in window), false);
    await close();
  }
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
