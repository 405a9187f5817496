// @ts-check
// Pictures for the README: the front page, the share dialog, a slide; SVGD on the banana, run to a fixed step and paused there, so that two runs of
// this script on one machine show the same particles (the curves have a point wherever there was time to measure).
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { launch, root, serve, serveDist } from "./site.mjs";

const STEP = 300;
const LINK = `v=1&m=svgd&target=banana&init_mean=0,4&init_scale=0.5&step=0.5&k=${STEP}`;
const PICTURES = [
  { name: "wide", page: "?theme=light", width: 1440, height: 900, ratio: 1 },
  { name: "dark", page: "?theme=dark", width: 1440, height: 900, ratio: 1 },
  { name: "phone", page: "?theme=light", width: 390, height: 844, ratio: 2 },
  { name: "embed", page: "embed.html?ui=min&theme=light", width: 960, height: 540, ratio: 1 },
];

const folder = path.join(root, "docs/images");
await mkdir(folder, { recursive: true });
const site = await serveDist();
const browser = await launch();
try {
  for (const { name, page: address, width, height, ratio } of PICTURES) {
    const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: ratio });
    const page = await context.newPage();
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.goto(`${site.url}/${address}${address.includes("?") ? "&" : "?"}autoplay=1#${LINK}`);
    await page.waitForFunction(
      (step) => {
        const stage = document.getElementById("stage")?.dataset;
        return stage?.step === String(step) && stage.playing === "false" && stage.metricsStep === String(step);
      },
      STEP,
      { timeout: 120_000 },
    );
    // The last charts and the last frame follow the last state message.
    await page.waitForTimeout(500);
    await page.screenshot({ path: path.join(folder, `${name}.png`), animations: "disabled" });
    console.log(`docs/images/${name}.png`);
    if (name === "wide") {
      await page.locator("#share").click();
      await page.locator("#share-tab-figure").click();
      await page.locator(".preview[src]").waitFor();
      await page.waitForTimeout(500);
      await page.screenshot({ path: path.join(folder, "share.png"), animations: "disabled", clip: { x: 200, y: 60, width: 1040, height: 720 } });
      console.log("docs/images/share.png");
    }
    await context.close();
  }
  await slide();
} finally {
  await browser.close();
  site.close();
}

/** A demo in a real deck. */
async function slide() {
  const deck = await serve({
    "/": { type: "text/html", text: `<!doctype html><html lang="en"><meta charset="utf-8"><title>Deck</title>
      <link rel="stylesheet" href="/reveal/reveal.css"><link rel="stylesheet" href="/reveal/theme/white.css">
      <style>.reveal h2 { font-size: 1.5em; text-transform: none }</style>
      <div class="reveal"><div class="slides"><section><h2>Where do the particles go?</h2>
      <pushforward-demo link="${LINK.replaceAll("&", "&amp;")}" options="theme=light" title="SVGD on a banana"></pushforward-demo></section></div></div>
      <script src="/reveal/reveal.js"></script><script src="${site.url}/pushforward-demo.js"></script>
      <script>Reveal.initialize({ transition: "none", width: 1120, height: 760, progress: true, slideNumber: true });</script>` },
    "/reveal/": { folder: "tests/web/node_modules/reveal.js/dist" },
  });
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  await page.goto(deck.url);
  const frame = page.frameLocator("pushforward-demo iframe");
  await frame.locator('#stage[data-state="paused_at_k"]').waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1500);
  await page.screenshot({ path: path.join(folder, "slide.png"), animations: "disabled" });
  console.log("docs/images/slide.png");
  deck.close();
}
