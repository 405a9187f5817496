// The settings of a pane, generated from the manifest: one labelled field for each parameter, grouped, with its range,
// shown only where it applies. An edit goes to the program; what the program says comes back into the field.
// @ts-check
import { h } from "./dom.js";
import { field } from "./fields.js";
import { restrict } from "./options.js";

/**
 * @typedef {object} Spec a parameter as the manifest describes it
 * @property {string} key
 * @property {string} label
 * @property {string} doc
 * @property {"integer" | "number" | "choice" | "list" | "text" | "numberor"} kind
 * @property {"live" | "rebuild" | "restart"} class
 * @property {number | null} min
 * @property {number | null} max
 * @property {boolean} log
 * @property {{ id: string, label: string }[]} choices
 * @property {string} default
 * @property {[string, string[]] | null} only_if
 * @property {string} group heading; empty for the system's own
 */
/** @typedef {(key: string, value: string) => Promise<{ problems: { key: string, message: string }[] }>} Edit */

const CLASS_NOTE = {
  live: "Takes effect at the next step.",
  rebuild: "Keeps the particles and recompiles the step.",
  restart: "Starts the run again.",
};

/** Heading of the parameters that are the system's own. */
const OWN = "Method";

/** @param {Spec} spec */
function tip(spec) {
  const [min, max] = [spec.min, spec.max];
  const range = min === null && max === null ? "" : max === null ? ` From ${min}.` : min === null ? ` Up to ${max}.` : ` ${min} to ${max}.`;
  return `${spec.doc}${range} Default ${spec.default || "empty"}. ${CLASS_NOTE[spec.class]}`;
}

export class Controls {
  /**
   * @param {HTMLElement} root
   * @param {Edit} edit
   * @param {import("./options.js").Options} options
   */
  constructor(root, edit, options) {
    this.root = root;
    this.edit = edit;
    this.options = options;
    this.builtFor = "";
    /** @type {Map<string, { spec: Spec, row: HTMLElement, show: (value: string) => void, problem: HTMLElement }>} */
    this.rows = new Map();
  }

  /**
   * @param {string} id what the fields are built for: a change rebuilds them
   * @param {Spec[]} specs
   * @param {Record<string, string>} values
   * @param {string[]} changed
   */
  show(id, specs, values, changed) {
    if (id !== this.builtFor) this.build(id, specs);
    /** @type {Map<Element, boolean>} */
    const groups = new Map();
    for (const [key, { spec, row, show }] of this.rows) {
      const [other, wanted] = spec.only_if ?? [null, []];
      const applies = other === null || wanted.includes(values[other] ?? "");
      row.classList.toggle("inapplicable", !applies);
      row.classList.toggle("changed", changed.includes(key));
      if (key in values) show(values[key]);
      const group = row.parentElement;
      if (group) groups.set(group, groups.get(group) || applies);
    }
    for (const [group, any] of groups) group.classList.toggle("inapplicable", !any);
  }

  /**
   * @param {string} id
   * @param {Spec[]} specs
   */
  build(id, specs) {
    this.builtFor = id;
    this.rows.clear();
    /** @type {Map<string, HTMLElement>} */
    const groups = new Map();
    for (const spec of specs) {
      const group = groups.get(spec.group) ?? h("fieldset", {}, h("legend", {}, spec.group || OWN));
      groups.set(spec.group, group);
      group.append(this.row(spec));
    }
    this.root.replaceChildren(...groups.values());
    restrict(this.root, this.options);
  }

  /** Forgets what was refused, so that the fields show the program's values again. */
  forgive() {
    for (const { row, problem } of this.rows.values()) {
      problem.textContent = "";
      for (const input of row.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    }
  }

  /** @param {Spec} spec */
  row(spec) {
    const fieldId = `p-${spec.key}`;
    const problem = h("p", { class: "problem", id: `${fieldId}-problem`, role: "alert" });
    const commit = async (/** @type {string} */ value) => {
      const { problems } = await this.edit(spec.key, value);
      const own = problems.find(({ key }) => key === spec.key) ?? problems[0];
      problem.textContent = own?.message ?? "";
      for (const input of row.querySelectorAll("input, select, textarea")) {
        if (own) input.setAttribute("aria-invalid", "true");
        else input.removeAttribute("aria-invalid");
      }
    };
    const { element, show } = field(spec, fieldId, `${fieldId}-problem`, (value) => void commit(value).catch(() => {}));
    const row = h("div", { class: `row kind-${spec.kind}`, "data-control": spec.key },
      h("label", { for: fieldId, "data-tip": tip(spec) }, spec.label),
      element, problem);
    this.rows.set(spec.key, { spec, row, show, problem });
    return row;
  }
}
