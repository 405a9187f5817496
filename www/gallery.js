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
  let shown = "";
  const choose = (/** @type {string} */ link) => {
    dialog.close();
    open(link);
  };
  byId("systems").addEventListener("click", () => {
    dialog.showModal();
    // Its pictures are those of the theme.
    if (shown === currentTheme()) return;
    shown = currentTheme();
    void pictures().then((known) => byId("rooms").replaceChildren(...rooms(systems, known, choose)));
  });
}

/**
 * @param {System[]} systems
 * @param {import("./boot.js").Pictures | null} known
 * @param {(link: string) => void} choose
 */
function rooms(systems, known, choose) {
  const members = new Map(systems.map(({ room }) => [room, systems.filter((system) => system.room === room)]));
  return [...members].map(([room, each]) => h("section", {},
    h("h3", {}, room[0].toUpperCase() + room.slice(1)),
    h("ul", {}, ...each.map((system) => h("li", {},
      h("button", { type: "button", class: "card", "data-system": system.id, onclick: () => choose(system.link) },
        h("strong", {}, system.title), h("span", {}, system.summary)),
      h("div", { class: "presets thumbs" }, ...system.presets.map((preset) => h("button", {
        type: "button", "data-tip": preset.question, onclick: () => choose(preset.link),
      }, ...thumbnail(known?.presets[preset.link]?.file), preset.title))))))));
}

/** @param {string | undefined} file */
function thumbnail(file) {
  if (!file) return [];
  const image = h("img", { alt: "", loading: "lazy", width: 160, height: 100, src: `posters/${file}.${currentTheme() === "dark" ? "dark" : "light"}.webp` });
  image.addEventListener("error", () => image.remove());
  return [image];
}
