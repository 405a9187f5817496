// The stage and its curves as a picture for print: PNG at a chosen scale, or SVG. Both say where they come from.
// @ts-check
import { h } from "./dom.js";
import { play } from "./player.js";
import { withTexts } from "./png.js";
import { escaped, svgFile, svgOf } from "./svg.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {{ charts: boolean, scale?: number }} Wish */
/** @typedef {{ title: string, version: string, link: string, link_here: string, step: number, seeds: string[], digests: string[], devices: string[], citations: string[], edited_at: number | null, own_file: boolean }} Provenance */
/** @typedef {{ width: number, height: number, particles: boolean, ops: number[], text: string[] }} Vectors */

/** More particles than this are a picture inside the SVG: as circles they would make a file that no editor opens. */
const MOST_CIRCLES = 4096;
/** A poster is looked at before anything else, and should not weigh much. */
const POSTER = { width: 800, quality: 0.75 };
/** Size of a chart, and the room around it, in CSS pixels. */
const CHART = { width: 280, height: 150, gap: 14, title: 22 };

/**
 * @param {Page} page
 * @returns {Promise<Provenance>}
 */
export const provenance = (page) => page.host.call("provenance");

/**
 * What stands in the file: the link to this very step, and how it was made.
 * @param {Provenance} from
 */
function texts(from) {
  return {
    Title: from.title, Software: `Pushforward ${from.version}`, Source: addressed(from.link_here),
    Comment: `step ${from.step}, seed ${from.seeds.join(", ")}, digest ${from.digests.join(", ")}`,
  };
}

/** @param {string} link */
function addressed(link) {
  const base = location.protocol.startsWith("http") ? location.origin + location.pathname : "";
  return `${base}#${link}`;
}

/**
 * Titles, positions and lists of the charts beside the stage.
 * @param {Page} page
 * @param {number} height of the stage
 */
async function charts(page, height) {
  const all = page.described?.charts ?? [];
  const row = CHART.height + CHART.title;
  const rows = Math.max(1, Math.floor((height + CHART.gap) / (row + CHART.gap)));
  return Promise.all(all.map(async ({ label }, i) => ({
    label, list: /** @type {import("./svg.js").List} */ (await page.host.call("chart_vectors", i, CHART.width, CHART.height)),
    x: CHART.gap + Math.floor(i / rows) * (CHART.width + CHART.gap), y: (i % rows) * (row + CHART.gap),
  })));
}

/** @param {Awaited<ReturnType<typeof charts>>} placed */
const extent = (placed) => ({
  width: Math.max(0, ...placed.map(({ x }) => x + CHART.width)),
  height: Math.max(0, ...placed.map(({ y }) => y + CHART.title + CHART.height)),
});

/**
 * Pixels of the stage.
 * @param {Page} page
 * @param {number} ratio
 * @param {"all" | "uncontoured" | "ground"} what
 */
async function pixels(page, ratio, what) {
  const bytes = /** @type {Uint8Array<ArrayBuffer>} */ (await page.host.call("picture", ratio, what));
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [head.getUint32(0, true), head.getUint32(4, true)];
  return new ImageData(new Uint8ClampedArray(bytes.buffer, bytes.byteOffset + 8, 4 * width * height), width, height);
}

/** @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
const toPng = (canvas) => new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("this browser cannot write a PNG file"))), "image/png"));

/** @param {HTMLCanvasElement} canvas */
function context(canvas) {
  const ctx = canvas.getContext("2d");
  if (!ctx) throw new Error("this browser gives no 2-D canvas");
  return ctx;
}

/**
 * A PNG file, `scale` pixels a CSS pixel.
 * @param {Page} page
 * @param {Wish} wish
 */
export async function pictureOf(page, { charts: withCharts, scale = 2 }) {
  const picture = await pixels(page, scale, "all");
  const vectors = /** @type {Vectors} */ (await page.host.call("vectors"));
  const ratio = picture.width / vectors.width;
  const placed = withCharts ? await charts(page, vectors.height) : [];
  const beside = extent(placed);
  const canvas = h("canvas", { width: Math.round(ratio * (vectors.width + beside.width)), height: Math.round(ratio * Math.max(vectors.height, beside.height)) });
  const ctx = context(canvas);
  ctx.fillStyle = page.colours[page.roles.indexOf("stage")];
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.putImageData(picture, 0, 0);
  play(ctx, { ops: Float32Array.from(vectors.ops), text: vectors.text }, page.colours, ratio);
  for (const { label, list, x, y } of placed) {
    const part = h("canvas", { width: Math.round(ratio * CHART.width), height: Math.round(ratio * CHART.height) });
    play(context(part), { ops: Float32Array.from(list.ops), text: list.text }, page.colours, ratio);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.fillStyle = page.colours[page.roles.indexOf("ink")];
    ctx.font = "600 13px system-ui, sans-serif";
    ctx.fillText(label, vectors.width + x, y + 15);
    ctx.drawImage(part, vectors.width + x, y + CHART.title, CHART.width, CHART.height);
  }
  return withTexts(await toPng(canvas), texts(await provenance(page)));
}

/**
 * The stage as a small picture in an address of its own, to stand where the program does not run.
 * @param {Page} page
 */
export async function posterOfStage(page) {
  const image = await createImageBitmap(await pictureOf(page, { charts: false, scale: 1 }));
  const by = Math.min(1, POSTER.width / image.width);
  const canvas = h("canvas", { width: Math.round(by * image.width), height: Math.round(by * image.height) });
  context(canvas).drawImage(image, 0, 0, canvas.width, canvas.height);
  // A browser that cannot write WebP writes PNG.
  return canvas.toDataURL("image/webp", POSTER.quality);
}

/**
 * An SVG file.
 * @param {Page} page
 * @param {Wish} wish
 */
export async function vectorsOf(page, { charts: withCharts }) {
  const vectors = /** @type {Vectors} */ (await page.host.call("vectors", MOST_CIRCLES));
  const picture = await pixels(page, 2, vectors.particles ? "ground" : "uncontoured");
  const canvas = h("canvas", { width: picture.width, height: picture.height });
  context(canvas).putImageData(picture, 0, 0);
  const placed = withCharts ? await charts(page, vectors.height) : [];
  const beside = extent(placed);
  const [width, height] = [vectors.width + beside.width, Math.max(vectors.height, beside.height)];
  const ink = page.colours[page.roles.indexOf("ink")];
  const from = await provenance(page);
  const body = [
    `<rect width="100%" height="100%" fill="${page.colours[page.roles.indexOf("stage")]}"/>\n`,
    `<image width="${vectors.width}" height="${vectors.height}" xlink:href="${canvas.toDataURL("image/png")}"/>\n`,
    svgOf(vectors, page.colours, "stage"),
    ...placed.map(({ label, list, x, y }, i) => `<g transform="translate(${vectors.width + x} ${y})"><text y="15" font-size="13" font-weight="600" fill="${ink}">${escaped(label)}</text><g transform="translate(0 ${CHART.title})">\n${svgOf(list, page.colours, `chart${i}`)}</g></g>\n`),
  ];
  return svgFile(width, height, from.title, JSON.stringify(texts(from)), body.join(""));
}
