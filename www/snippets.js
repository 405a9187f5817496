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
 * @property {boolean} picture whether the snippets carry a picture
 * @property {string[]} hide
 * @property {string[]} lock
 */

/**
 * The options of an address, without `?`.
 * @param {Choices} choices
 * @param {"page" | "embed"} where
 */
export function queryOf({ paused, ui, theme, scale, predict, click, hide, lock }, where) {
  const embedded = where === "embed";
  return [
    embedded && ui !== "min" && `ui=${ui}`, theme !== "auto" && `theme=${theme}`, paused && "autoplay=0", scale !== 1 && `scale=${scale}`,
    predict && "reveal=1", embedded && click && "load=click", hide.length && `hide=${hide.join(",")}`, lock.length && `lock=${lock.join(",")}`,
  ].filter(Boolean).join("&");
}

/**
 * An address that opens `link`.
 * @param {string} base
 * @param {string} link
 * @param {...string} options
 */
export function address(base, link, ...options) {
  const query = options.filter(Boolean).join("&");
  return `${base}${query && "?"}${query}#${link}`;
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

/** A style that shows a picture behind a frame that is not loaded, in print too. @param {string} picture */
const behind = (picture) => (picture ? `; background: url(${picture}) center / cover; print-color-adjust: exact` : "");

/**
 * @param {string} address of the embedded demo
 * @param {string} full address of the whole page
 * @param {string} title
 * @param {string} picture address of a picture that shows until the demo does; empty: none
 */
export const iframe = (address, full, title, picture) =>
  `<iframe src="${attribute(address)}" title="${attribute(title)}" loading="lazy" allow="fullscreen; clipboard-write"
        style="width: 100%; aspect-ratio: 16 / 9; border: 0${attribute(behind(picture))}">
</iframe>
<p><a href="${attribute(full)}">${attribute(title)}: open it in a window of its own</a></p>`;

/** @param {string} script @param {string} link @param {string} title @param {string} options @param {string} picture */
export const element = (script, link, title, options, picture) =>
  `<pushforward-demo link="${attribute(link)}"${options ? ` options="${attribute(options)}"` : ""}${picture ? ` poster="${attribute(picture)}"` : ""} title="${attribute(title)}"></pushforward-demo>
<script src="${attribute(script)}" defer><\/script>`;

/** @param {string} address @param {string} title @param {string} picture */
const lone = (address, title, picture) => `<iframe data-src="${attribute(address)}" title="${attribute(title)}" width="960" height="540"${picture ? ` style="${attribute(behind(picture).slice(2))}"` : ""}></iframe>`;

/**
 * A slide's content: the custom element of the site, or a frame that the deck loads when it comes to it.
 * @param {{ script: string | null, address: string, link: string, title: string, options: string, picture: string }} demo
 */
const slide = ({ script, address, link, title, options, picture }) => (script === null ? lone(address, title, picture) : element(script, link, title, options, picture));

/** @param {Parameters<typeof slide>[0]} demo */
export const reveal = (demo) => `<section>
<h2>${attribute(demo.title)}</h2>
${slide(demo)}
</section>`;

/** @param {Parameters<typeof slide>[0]} demo */
export const quarto = (demo) => `## ${demo.title}

\`\`\`{=html}
${slide(demo)}
\`\`\``;
