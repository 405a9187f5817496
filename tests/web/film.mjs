// Plays a film in a page that its policy lets play one, and tells what was seen.
// @ts-check
import { readFile } from "node:fs/promises";
import { newPage, origin } from "./harness.mjs";

/**
 * @param {{ evaluate: (look: (url: string) => Promise<Seen>, url: string) => Promise<Seen> }} page a blank one, of either driver
 * @param {string} url of the film, as data
 * @typedef {{ width: number, seconds: number, drawn: boolean, moved: boolean }} Seen pixels wide; seconds played; a
 *   picture is not plain; a later one differs from it
 */
export const watch = (page, url) => page.evaluate(async (source) => {
  const video = Object.assign(document.createElement("video"), { muted: true, src: source });
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error(video.error?.message));
  });
  const draw = () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ctx.drawImage(video, 0, 0);
    return ctx.getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const isPlain = (/** @type {Uint8ClampedArray} */ picture) => !picture.some((value, i) => i % 4 < 3 && Math.abs(value - picture[i % 4]) > 60);
  await video.play();
  /** @type {Uint8ClampedArray | null} */
  let first = null;
  let moved = false;
  for (let waited = 0; (!moved || video.currentTime < 1) && waited < 40; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const picture = draw();
    if (isPlain(picture)) continue;
    first ??= picture;
    moved ||= first.some((value, i) => Math.abs(value - picture[i]) > 30);
  }
  return { width: video.videoWidth, seconds: video.currentTime, drawn: first !== null, moved };
}, url);

/**
 * Records the stage by the share dialog, and plays what was saved.
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<void>} meanwhile what goes on while it is recorded
 */
export async function filmed(page, meanwhile) {
  await page.locator("#share").click();
  await page.locator("#share-tab-film").click();
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Record" }).click();
  await meanwhile();
  await page.getByRole("button", { name: "Stop and save" }).click();
  const film = await coming;
  const bytes = await readFile(await film.path());
  const player = await newPage();
  await player.page.goto(`${origin()}/blank`);
  const seen = await watch(player.page, `data:video/${film.suggestedFilename().split(".").pop()};base64,${bytes.toString("base64")}`);
  await player.close();
  return seen;
}
