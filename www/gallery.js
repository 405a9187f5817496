// The systems by room, and the configured demos of the present one with the question that each answers.
// @ts-check
import { byId, h } from "./dom.js";

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
      h("div", { class: "presets" }, ...system.presets.map((preset) => h("button", {
        type: "button", "data-tip": preset.question, onclick: () => choose(preset.link),
      }, preset.title))))))));
}
