// One input for each kind of parameter. `show` puts a value into it without disturbing a user who is typing.
// @ts-check
import { h, throttle } from "./dom.js";
import { TICKS, fromTick, toTick } from "./numbers.js";

/** @typedef {import("./controls.js").Spec} Spec */
/** @typedef {{ element: HTMLElement, show: (value: string) => void }} Field */
/** @typedef {(value: string) => void} Commit */

/** Beyond this many values a linear slider cannot be aimed. */
const AIMABLE = 1e6;

/**
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input
 * @param {string} value
 */
function put(input, value) {
  const typing = document.activeElement === input && !(input instanceof HTMLSelectElement) && input.type !== "range";
  const refused = input.getAttribute("aria-invalid") === "true";
  if (!typing && !refused && input.value !== value) input.value = value;
}

/**
 * @param {Spec} spec
 * @param {string} id
 * @param {string} problemId
 * @param {Commit} commit
 * @returns {Field}
 */
function number(spec, id, problemId, commit) {
  const whole = spec.kind === "integer";
  const { min, max, log } = spec;
  const box = h("input", {
    id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", "aria-describedby": problemId,
    onchange: () => commit(box.value.trim()),
  });
  if (min === null || max === null || (!log && whole && max - min > AIMABLE)) {
    return { element: h("div", { class: "number" }, box), show: (value) => put(box, value) };
  }
  const range = { min, max, log, whole };
  const live = throttle(60, commit);
  const slide = (/** @type {Commit} */ run) => () => {
    const text = String(fromTick(range, slider.valueAsNumber));
    slider.setAttribute("aria-valuetext", text);
    box.removeAttribute("aria-invalid");
    box.value = text;
    run(text);
  };
  const slider = h("input", {
    type: "range", min: 0, max: TICKS, "aria-label": spec.label,
    oninput: slide(spec.class === "live" ? live : () => {}),
    onchange: slide(commit),
  });
  let held = false;
  slider.addEventListener("pointerdown", () => (held = true));
  for (const end of ["pointerup", "pointercancel"]) slider.addEventListener(end, () => (held = false));
  const show = (/** @type {string} */ value) => {
    if (held) return;
    put(box, value);
    const tick = String(toTick(range, Number(value)));
    if (slider.value !== tick && fromTick(range, slider.valueAsNumber) !== Number(value)) slider.value = tick;
    slider.setAttribute("aria-valuetext", value);
  };
  return { element: h("div", { class: "number" }, slider, box), show };
}

/**
 * @param {Spec} spec
 * @param {string} id
 * @param {string} problemId
 * @param {Commit} commit
 * @returns {Field}
 */
function choice(spec, id, problemId, commit) {
  const select = h("select", { id, "aria-describedby": problemId, onchange: () => commit(select.value) },
    ...spec.choices.map((word) => h("option", { value: word.id }, word.label)));
  return { element: select, show: (value) => put(select, value) };
}

/**
 * A number, or one of a few words.
 * @param {Spec} spec
 * @param {string} id
 * @param {string} problemId
 * @param {Commit} commit
 * @returns {Field}
 */
function numberOr(spec, id, problemId, commit) {
  const inner = number(spec, id, problemId, commit);
  const isWord = (/** @type {string} */ value) => spec.choices.some((word) => word.id === value);
  const start = spec.min !== null && spec.max !== null && spec.log ? String(fromTick({ min: spec.min, max: spec.max, log: true, whole: false }, TICKS / 2)) : String(spec.min ?? 1);
  let latest = start;
  const select = h("select", {
    "aria-label": `${spec.label}: rule or number`,
    onchange: () => commit(isWord(select.value) ? select.value : latest),
  }, ...spec.choices.map((word) => h("option", { value: word.id }, word.label)), h("option", { value: "" }, "fixed"));
  const show = (/** @type {string} */ value) => {
    const word = isWord(value);
    put(select, word ? value : "");
    inner.element.classList.toggle("inapplicable", word);
    if (word) return;
    latest = value;
    inner.show(value);
  };
  return { element: h("div", { class: "numberor" }, select, inner.element), show };
}

/**
 * @param {Spec} spec
 * @param {string} id
 * @param {string} problemId
 * @param {Commit} commit
 * @returns {Field}
 */
function text(spec, id, problemId, commit) {
  const prose = spec.kind === "text";
  const input = h(prose ? "textarea" : "input", {
    id, rows: prose ? 2 : null, autocomplete: "off", spellcheck: "false", autocapitalize: "off", "aria-describedby": problemId,
    onchange: () => commit(input.value.trim()),
    onkeydown: (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        commit(input.value.trim());
      }
    },
  });
  return { element: input, show: (value) => put(input, value) };
}

/**
 * @param {Spec} spec
 * @param {string} id of the input that the label names
 * @param {string} problemId of the element that says what is wrong
 * @param {Commit} commit
 * @returns {Field}
 */
export function field(spec, id, problemId, commit) {
  const make = { integer: number, number, choice, numberor: numberOr, list: text, text }[spec.kind] ?? text;
  return make(spec, id, problemId, commit);
}
