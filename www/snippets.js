// Addresses and snippets that open this demo elsewhere, made from what the reader chose.
// @ts-check
import { shell } from "./boot.js";

/**
 * @typedef {object} Choices
 * @property {boolean} here whether to start at the present step
 * @property {boolean} paused
 * @property {"full" | "min" | "none"} ui
 * @property {string} theme
 * @property {number} scale of the text
 * @property {boolean} predict
 * @property {boolean} click whether to wait for a click
 * @property {string[]} hide
 * @property {string[]} lock
 */

/** @param {Choices} choices @param {boolean} embedded */
export function query({ paused, ui, theme, scale, predict, click, hide, lock }, embedded) {
  const pairs = [
    embedded && shell === "site" && "embed=1", embedded && ui !== "min" && `ui=${ui}`, theme !== "auto" && `theme=${theme}`, paused && "autoplay=0", scale !== 1 && `scale=${scale}`,
    predict && "reveal=1", embedded && click && "load=click", hide.length && `hide=${hide.join(",")}`, lock.length && `lock=${lock.join(",")}`,
  ].filter(Boolean);
  return pairs.length ? `?${pairs.join("&")}` : "";
}

/** Where this page lies: an address where it has one, else the name of its file. */
export function base() {
  if (!location.protocol.startsWith("http")) return "embed.html";
  const path = location.pathname.replace(/index\.html$/, "");
  return location.origin + path;
}

/** The folder that keeps this version for good, where the host has one. */
export function pinned() {
  const folder = document.querySelector('meta[name="pushforward-pinned"]')?.getAttribute("content");
  return folder ? new URL(folder, document.baseURI).href : base();
}

/** @param {string} text */
const attribute = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c);

/**
 * @param {string} address of the embedded demo
 * @param {string} full address of the whole page
 * @param {string} title
 */
export const iframe = (address, full, title) =>
  `<iframe src="${attribute(address)}" title="${attribute(title)}" loading="lazy" allow="fullscreen; clipboard-write"
        style="width: 100%; aspect-ratio: 16 / 9; border: 0">
</iframe>
<p><a href="${attribute(full)}">${attribute(title)}: open it in a window of its own</a></p>`;

/** @param {string} address @param {string} title */
export const reveal = (address, title) =>
  `<section>
  <h2>${attribute(title)}</h2>
  <iframe data-src="${attribute(address)}" title="${attribute(title)}" data-preload
          width="1600" height="900" style="width: 100%; height: 80vh; border: 0"></iframe>
</section>`;

/** @param {string} address @param {string} title */
export const quarto = (address, title) =>
  `## ${title}

\`\`\`{=html}
<iframe data-src="${attribute(address)}" title="${attribute(title)}" data-preload
        style="width: 100%; height: 80vh; border: 0"></iframe>
\`\`\``;

/** @param {string} script @param {string} link @param {string} title @param {string} options */
export const element = (script, link, title, options) =>
  `<script src="${attribute(script)}" defer><\/script>
<pushforward-demo link="${attribute(link)}"${options ? ` options="${attribute(options)}"` : ""} title="${attribute(title)}"></pushforward-demo>`;
