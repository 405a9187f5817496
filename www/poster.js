// A picture in the place of the program: where nothing is downloaded before a click, and where the program does not start.
// The pictures of the presets were drawn by the program itself; `cargo xtask bless --only posters` takes them anew.
// @ts-check
import { pictures } from "./boot.js";
import { byId, h } from "./dom.js";
import { currentTheme } from "./theme.js";

/** @typedef {{ path: string, isThis: boolean }} Poster where its file lies on the site, and whether it shows this very demo */

/** Keys that change how far or how fast a demo runs, or what is said of it, not which demo it is. */
const ASIDE = new Set(["v", "k", "digest", "speed"]);

/** @param {string} link the keys and values of its panes, each with the number of its pane */
const settings = (link) => new Set(link.split(";;")[0].split(";").flatMap((pane, at) => pane.split("&").filter((pair) => !ASIDE.has(pair.split("=")[0])).map((pair) => `${at} ${decode(pair)}`)));

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} link */
const systemOf = (link) => new URLSearchParams(link.split(";")[0]).get("m");

/**
 * The picture of a demo; of one that is no preset, that of the preset with most settings in common, of the same system.
 * @param {string} link empty: the first demo
 * @param {string} [theme] that of the page, unless given
 * @returns {Promise<Poster | null>}
 */
export async function posterOf(link, theme = currentTheme()) {
  const known = await pictures();
  if (!known) return null;
  const wanted = link || known.demo;
  const own = settings(wanted);
  let best = { file: "", shared: -1, apart: Infinity };
  for (const [preset, { file }] of Object.entries(known.presets)) {
    if (systemOf(preset) !== systemOf(wanted)) continue;
    const its = settings(preset);
    const shared = [...own].filter((pair) => its.has(pair)).length;
    const apart = own.size + its.size - 2 * shared;
    if (shared > best.shared || (shared === best.shared && apart < best.apart)) best = { file, shared, apart };
  }
  if (!best.file) return null;
  return { path: `posters/${best.file}.${theme === "dark" ? "dark" : "light"}.webp`, isThis: best.apart === 0 };
}

/**
 * Puts the picture behind what the curtain says. A file that was made for one demo has its picture in it.
 * @param {string} link
 * @param {Node} words
 */
function show(link, words) {
  const curtain = byId("curtain");
  const own = curtain.querySelector("img");
  const caption = h("small", {});
  curtain.replaceChildren(...(own ? [own] : []), h("span", { class: "poster" }, words, caption));
  if (!own) {
    void posterOf(link).then((picture) => {
      if (!picture) return;
      const image = h("img", { alt: "A picture of this demo", src: new URL(picture.path, document.baseURI).href });
      image.addEventListener("error", () => image.remove());
      curtain.prepend(image);
      if (!picture.isThis) caption.textContent = "The picture shows another setting of this system.";
    }).catch(() => {});
  }
}

/**
 * Waits for a click.
 * @param {string} link
 * @param {() => void} start
 */
export function poster(link, start) {
  const words = byId("curtain").textContent ?? "";
  const button = h("button", { type: "button", class: "primary", id: "poster" }, "▶ Run this demo");
  button.addEventListener("click", () => {
    byId("curtain").querySelector(".poster")?.replaceChildren(h("span", {}, words));
    start();
  });
  byId("question").textContent = "A demo that waits";
  show(link, button);
}

/**
 * Says why the program does not run, in front of a picture of what it would show.
 * @param {string} link
 * @param {string} message
 */
export function failed(link, message) {
  show(link, h("span", {}, message));
}
