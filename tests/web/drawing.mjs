// @ts-check
// The program's own pictures of its presets, for posters.mjs, which keeps them, and for the test that compares.

import { serve } from "./site.mjs";

/** Size of a picture: what a gallery needs twice, what a slide needs at least. */
export const SIZE = { width: 512, height: 320, ratio: 1.25 };
const QUALITY = 0.65;
/** Share of a run after which its particles are on their way, and the longest that is waited for it. */
const SHARE = 0.25;
const MOST_MS = 20_000;

/**
 * What the program says of itself when it starts.
 * @param {import("playwright-core").Page} page
 * @param {string} site its address
 * @returns {Promise<{ demo: string, systems: { id: string, presets: { link: string }[] }[] }>}
 */
export async function manifestOf(page, site) {
  await page.addInitScript(() => {
    const Native = Worker;
    window.Worker = class extends Native {
      /** @param {string | URL} url */
      constructor(url) {
        super(url);
        this.addEventListener("message", ({ data }) => {
          if (data.manifest) /** @type {any} */ (window).manifest = data.manifest;
        });
      }
    };
  });
  await page.goto(`${site}/?autoplay=0`);
  await page.waitForFunction(() => "manifest" in window);
  return JSON.parse(await page.evaluate(() => /** @type {any} */ (window).manifest));
}

/**
 * Runs a demo for a while and draws its stage.
 * @param {import("playwright-core").Page} page
 * @param {string} site its address
 * @param {string} link
 * @param {number} [wanted] the step; without it, that of the link, or a part of the run
 */
export async function draw(page, site, link, wanted) {
  const deck = await serve({ "/": { type: "text/html", text: `<!doctype html><style>body { margin: 0 } pushforward-demo { display: block; height: 100vh }</style>
    <script src="${site}/pushforward-demo.js"></script>
    <pushforward-demo link="${link.replaceAll("&", "&amp;")}" options="ui=none&amp;autoplay=0&amp;theme=light"></pushforward-demo>` } });
  await page.goto(deck.url);
  deck.close();
  const { step, canonical } = await page.evaluate(async ([share, most, asked]) => {
    const demo = /** @type {any} */ (document.querySelector("pushforward-demo"));
    const start = await demo.get("describe");
    const { k, panes } = start.described;
    const goal = asked || k || Math.max(1, Math.round(share * Math.min(...panes.map((/** @type {any} */ pane) => pane.default_steps))));
    const arrived = new Promise((resolve) => demo.addEventListener("pushforward-state", (/** @type {any} */ { detail }) => detail.step >= goal && resolve(null)));
    await demo.seek(goal);
    await Promise.race([arrived, new Promise((resolve) => setTimeout(resolve, most))]);
    await demo.pause();
    return { step: (await demo.get()).step, canonical: start.link };
  }, [SHARE, MOST_MS, wanted ?? 0]);
  // The last frame follows the last message.
  await page.waitForTimeout(400);
  return { step, canonical };
}

/**
 * A picture of what is on the screen, as the browser writes it.
 * @param {import("playwright-core").Page} page
 */
export async function webp(page) {
  const shot = await page.screenshot({ animations: "disabled" });
  const text = await page.evaluate(async ([png, quality]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d")?.drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", Number(quality)).split(",")[1];
  }, [shot.toString("base64"), QUALITY]);
  return Buffer.from(text, "base64");
}
