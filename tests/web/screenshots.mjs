// @ts-check
// Pictures of the front page for the README: SVGD on the banana, run to a fixed step and paused there, so that two runs of
// this script on one machine show the same particles (the curves have a point wherever there was time to measure).
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { launch, root, serveDist } from "./site.mjs";

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
    await context.close();
  }
} finally {
  await browser.close();
  site.close();
}
