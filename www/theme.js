// The three themes, and the colours that the program draws with: read from the style sheet, one for each role.
// @ts-check
import { remember } from "./dom.js";

const THEMES = ["light", "dark", "projector"];

export const currentTheme = () => document.documentElement.dataset.theme ?? "light";

/** @param {string} theme one of the three; others are ignored */
export function setTheme(theme) {
  if (THEMES.includes(theme)) document.documentElement.dataset.theme = theme;
}

/** Goes to the next theme and remembers it. */
export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(currentTheme()) + 1) % THEMES.length];
  document.documentElement.dataset.theme = next;
  remember("theme", next);
  return next;
}

/**
 * The present theme's colours in the order of the roles: for the rasteriser as words, for canvases as CSS.
 * @param {string[]} roles
 */
export function palette(roles) {
  const style = getComputedStyle(document.documentElement);
  const colours = roles.map((role) => style.getPropertyValue(`--c-${role}`).trim() || style.color);
  const canvas = document.createElement("canvas");
  canvas.width = roles.length;
  canvas.height = 1;
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  colours.forEach((colour, i) => {
    ctx.fillStyle = colour;
    ctx.fillRect(i, 0, 1, 1);
  });
  const { data } = ctx.getImageData(0, 0, Math.max(1, roles.length), 1);
  const word = (/** @type {number} */ i) => ((data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3]) >>> 0;
  return { words: Uint32Array.from(colours, (_, i) => word(4 * i)), colours };
}
