// @ts-check
// Draws the picture of every preset that stands in its place before a click, in galleries and where the program does not
// run: the program's own stage, in the light and in the dark theme. `cargo xtask bless --only posters` runs this.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { SIZE, draw, manifestOf, webp } from "./drawing.mjs";
import { launch, root, serveDist } from "./site.mjs";

const folder = path.join(root, "www/posters");
await mkdir(folder, { recursive: true });
for (const old of await readdir(folder)) await rm(path.join(folder, old));
const site = await serveDist();
const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: SIZE.width, height: SIZE.height }, deviceScaleFactor: SIZE.ratio, serviceWorkers: "block" });
  const manifest = await manifestOf(await context.newPage(), site.url);
  const page = await context.newPage();
  /** @type {Record<string, { file: string, step: number }>} */
  const presets = {};
  for (const { id, presets: its } of manifest.systems) {
    for (const [i, { link }] of its.entries()) {
      const file = `${id}-${i + 1}`;
      const { step, canonical } = await draw(page, site.url, link);
      for (const theme of ["light", "dark"]) {
        if (theme === "dark") {
          await page.frames()[1].evaluate(() => document.getElementById("theme")?.click());
          await page.waitForTimeout(400);
        }
        await writeFile(path.join(folder, `${file}.${theme}.webp`), await webp(page));
      }
      presets[link] = presets[canonical] = { file, step };
      console.log(`${file}: step ${step}`);
    }
  }
  await writeFile(path.join(folder, "index.json"), `${JSON.stringify({ demo: manifest.demo, presets }, null, 1)}\n`);
} finally {
  await browser.close();
  site.close();
}
