// The two canvases of a stage, as an engine paints them: pixels or a device's picture below, vectors above. It knows what is
// out of date, and while the stage is filmed it hands out what it painted.
// @ts-check
import { play, redraw } from "./player.js";

/** @typedef {import("./player.js").DrawList} DrawList */
/** @typedef {import("./player.js").Context} Context */
/** @typedef {import("./messages.js").Surface} Surface */
/** @typedef {import("./pkg/pushforward.js").Playground} Playground */

/** Milliseconds between two frames of a film: 30 a second, from displays that show 60. */
const FILM_MS = 1000 / 30 - 4;

/**
 * @param {Surface} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
function context2d(canvas, settings) {
  const ctx = /** @type {Context | null} */ (canvas.getContext("2d", settings));
  if (!ctx) throw new Error("this browser gives no 2-D canvas");
  return ctx;
}

/** @param {{ ops(): Float32Array, text(): string, free(): void }} list */
export function taken(list) {
  const copy = { ops: list.ops(), text: /** @type {string[]} */ (JSON.parse(list.text())) };
  list.free();
  return copy;
}

export class Canvases {
  /**
   * @param {Surface} below
   * @param {Surface} above
   */
  constructor(below, above) {
    this.below = below;
    this.vectors = context2d(above);
    /** Where pixels go; null while a device has the canvas. @type {Context | null} */
    this.pixels = null;
    this.pixelsDirty = true;
    this.vectorsDirty = true;
    this.ratio = 1;
    /** Colours in the order of the roles; nothing is painted before they are known. @type {string[]} */
    this.colours = [];
    /** What the reader is drawing. @type {DrawList | null} */
    this.preview = null;
    this.filmed = -Infinity;
  }

  /** The canvas below takes pixels from here on. */
  takePixels() {
    this.pixels = context2d(this.below, { alpha: false });
  }

  /**
   * Paints what is out of date; false where nothing was.
   * @param {Playground} run
   * @param {WebAssembly.Memory} memory
   */
  paint(run, memory) {
    const { pixelsDirty, pixels, vectors } = this;
    if (!this.colours.length || !(pixelsDirty || this.vectorsDirty)) return false;
    if (pixelsDirty) {
      this.pixelsDirty = false;
      const [width, height] = [run.pixels_width(), run.pixels_height()];
      for (const canvas of pixels ? [pixels.canvas, vectors.canvas] : [vectors.canvas]) {
        if (canvas.width !== width) canvas.width = width;
        if (canvas.height !== height) canvas.height = height;
      }
      if (!pixels) this.pixelsDirty = !run.present();
      else if (width > 0 && height > 0) {
        run.render();
        const bytes = new Uint8ClampedArray(memory.buffer, run.pixels_ptr(), 4 * width * height);
        pixels.putImageData(new ImageData(bytes, width, height), 0, 0);
      }
    }
    redraw(vectors, taken(run.overlay()), this.colours, this.ratio);
    if (this.preview) play(vectors, this.preview, this.colours, this.ratio);
    this.vectorsDirty = false;
    return true;
  }

  /**
   * Copies what was just painted, in the order of the layers; null where a film has no use for it. Firefox makes the page
   * wait for the worker, up to ten seconds, where the page itself copies a canvas that the worker paints.
   * @param {number} now
   * @returns {Promise<ImageBitmap[]> | null}
   */
  film(now) {
    const layers = [this.below, this.vectors.canvas];
    if (now - this.filmed < FILM_MS || layers.some(({ width, height }) => !width || !height)) return null;
    this.filmed = now;
    return Promise.all(layers.map((canvas) => createImageBitmap(canvas)));
  }
}
