// The systems by room, and the configured demos of the present one with the question that each answers.
// @ts-check
import { pictures } from "./boot.js";
import { byId, h } from "./dom.js";
import { currentTheme } from "./theme.js";

/** @typedef {{ title: string, question: string, link: string }} Preset */
/**
 * @typedef {object} System
 * @property {string} id
 * @property {string} title
 * @property {string} room
 * @property {string} summary
 * @property {string} citation
 * @property {string} link with every parameter at its default
 * @property {import("./stage.js").Own | null} own
 * @property {Preset[]} presets
 * @property {import("./controls.js").Spec[]} params
 */

/**
 * @param {System} system
 * @param {number | null} index of the preset that the configuration is
 * @param {(link: string) => void} open
 */
export function showPresets(system, index, open) {
  const active = index === null ? undefined : system.presets[index];
  byId("question").textContent = active?.question ?? system.summary;
  byId("question").classList.toggle("plain", !active);
  byId("presets").replaceChildren(...system.presets.map((preset) => h("button", {
    type: "button", "aria-pressed": String(preset === active), "data-tip": preset.question, onclick: () => open(preset.link),
  }, preset.title)));
}

/**
 * @param {System[]} systems
 * @param {(link: string) => void} open
 */
export function installGallery(systems, open) {
  const dialog = byId("gallery", HTMLDialogElement);
  const choose = (/** @type {string} */ link) => {
    dialog.close();
    open(link);
  };
  byId("systems").addEventListener("click", () => {
    if (!byId("rooms").hasChildNodes()) byId("rooms").append(...rooms(systems, choose));
    dialog.showModal();
    void pictures().then((known) => known && illustrate(known));
  });
}

/**
 * @param {System[]} systems
 * @param {(link: string) => void} choose
 */
function rooms(systems, choose) {
  const members = new Map(systems.map(({ room }) => [room, systems.filter((system) => system.room === room)]));
  return [...members].map(([room, each]) => h("section", {},
    h("h3", {}, room[0].toUpperCase() + room.slice(1)),
    h("ul", {}, ...each.map((system) => h("li", {},
      h("button", { type: "button", class: "card", "data-system": system.id, onclick: () => choose(system.link) },
        h("strong", {}, system.title), h("span", {}, system.summary)),
      h("div", { class: "presets thumbs" }, ...system.presets.map((preset) => h("button", {
        type: "button", "data-tip": preset.question, "data-link": preset.link, onclick: () => choose(preset.link),
      }, preset.title))))))));
}

/**
 * Puts the presets' pictures, in the page's theme, over their names.
 * @param {import("./boot.js").Pictures} known
 */
function illustrate({ presets }) {
  const theme = currentTheme() === "dark" ? "dark" : "light";
  for (const button of document.querySelectorAll("#rooms [data-link]")) {
    const known = presets[button.getAttribute("data-link") ?? ""];
    if (!known) continue;
    const image = button.querySelector("img") ?? h("img", { alt: "", loading: "lazy", width: 160, height: 100, onerror: () => image.remove() });
    const src = `posters/${known.file}.${theme}.webp`;
    if (image.getAttribute("src") !== src) image.setAttribute("src", src);
    if (!image.isConnected) button.prepend(image);
  }
}
