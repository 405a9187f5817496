// The reader's own points, whatever they are to the present system: a file or pasted text, CSV or JSON; which columns are taken, and at which scale. The program
// reads the numbers and says what is wrong with them; nothing leaves the browser.
// @ts-check
import { dialog } from "./dialog.js";
import { h, throttle } from "./dom.js";
import { notice } from "./notices.js";
import { MOST_BYTES } from "./stage.js";

/** @typedef {{ name: string, numbers: number, sample: string[] }} Column */
/** @typedef {{ survey?: { rows: number, columns: Column[] }, wanted?: number, any?: boolean, problems?: { key: string, message: string }[] }} Surveyed */

const TOKEN = /\s+|[[\]{}:,]|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * The line of the first thing that is no JSON.
 * @param {string} text
 * @param {string} message of the browser, which may know the place
 */
function lineOfError(text, message) {
  const place = /position (\d+)/.exec(message);
  let at = place ? Number(place[1]) : 0;
  if (!place) {
    TOKEN.lastIndex = 0;
    while (at < text.length && TOKEN.test(text)) at = TOKEN.lastIndex;
  }
  return text.slice(0, at).split("\n").length;
}

/** @param {unknown} cell */
const csvCell = (cell) => (typeof cell === "number" || typeof cell === "boolean" ? String(cell) : `"${String(cell ?? "").replaceAll('"', '""').replace(/[\r\n]/g, " ")}"`);

/**
 * JSON as CSV: a list of lists, a list of objects, an object of lists, or a file that this page wrote.
 * @param {string} text
 */
export function csvOfJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`line ${lineOfError(text, message)}: ${message}`);
  }
  const own = value?.panes?.[0]?.particles;
  let rows = Array.isArray(own) ? own : value;
  if (!Array.isArray(rows)) {
    const columns = Object.entries(rows ?? {}).filter(([, cells]) => Array.isArray(cells));
    const longest = Math.max(0, ...columns.map(([, cells]) => cells.length));
    rows = Array.from({ length: longest }, (_, i) => Object.fromEntries(columns.map(([name, cells]) => [name, cells[i]])));
  }
  const first = rows[0];
  if (typeof first !== "object" || first === null) throw new Error("no rows; allowed are a list of lists, a list of objects, or an object of lists");
  const names = Array.isArray(first) ? first.map((_, i) => `x${i}`) : Object.keys(first);
  const lines = rows.map((/** @type {any} */ row) => (Array.isArray(row) ? row : names.map((name) => row?.[name])).map(csvCell).join(","));
  return [names.map(csvCell).join(","), ...lines].join("\n");
}

/**
 * Trained weights, a pane each: of a file that this page wrote, or of the terminal's `weights.json`.
 * @param {string} text
 * @returns {Record<string, number[]>[]}
 */
function weightsOf(text) {
  if (!text.includes('"weights"')) return [];
  try {
    const value = JSON.parse(text);
    const all = value.panes?.map((/** @type {any} */ pane) => pane.weights ?? {}) ?? [value.weights ?? {}];
    return all.some((/** @type {object} */ own) => Object.keys(own).length > 0) ? all : [];
  } catch {
    return [];
  }
}

/**
 * @param {import("./main.js").Page} page
 * @param {string} name of the file
 * @param {string} text of it; empty: the reader pastes it
 */
export function ownData(page, name, text) {
  const area = h("textarea", { id: "own-text", rows: 6, spellcheck: "false", placeholder: "x, y\n0.5, 1.2\n−0.3, 0.8" });
  area.value = text.length > 20_000 ? `${text.slice(0, 20_000)}\n…` : text;
  area.readOnly = text.length > 20_000;
  const problem = h("p", { class: "problem", role: "alert" });
  const found = h("div", { class: "found" });
  const scaling = h("select", { id: "own-scale" },
    h("option", { value: "none" }, "as they are"),
    h("option", { value: "each" }, "standardise each column"),
    h("option", { value: "together" }, "centre, one common scale"));
  /** Weights of each pane of a file that this page wrote. */
  let weights = /** @type {Record<string, number[]>[]} */ ([]);
  const trained = h("button", { type: "button", hidden: true, onclick: () => void takeWeights() }, "Use its trained weights");
  const use = h("button", { type: "button", class: "primary", disabled: true, onclick: () => void take() }, "Use these points");
  let csv = "";
  /** The text that the columns shown are of. */
  let surveyed = "";
  let isJson = false;

  const say = (/** @type {string} */ message) => {
    use.disabled = true;
    found.replaceChildren();
    complain(message);
  };
  const complain = (/** @type {string} */ message) => (problem.textContent = isJson ? message.replace(/line (\d+)/g, (_, line) => `item ${Number(line) - 1}`) : message);
  const source = () => (area.readOnly ? text : area.value);
  const label = () => name || "pasted text";

  async function survey() {
    problem.textContent = "";
    const raw = source();
    surveyed = raw;
    if (!raw.trim()) return void say("");
    weights = weightsOf(raw);
    trained.hidden = weights.length === 0;
    isJson = false;
    if (/^\s*[[{]/.test(raw)) {
      try {
        csv = csvOfJson(raw);
        isJson = true;
      } catch (error) {
        return void say(`${label()}: ${error instanceof Error ? error.message : error}`);
      }
    } else csv = raw;
    const { survey: read, wanted = 2, any, problems } = /** @type {Surveyed} */ (await page.host.call("survey", label(), csv));
    if (!read) return void say((problems ?? []).map(({ message }) => message).join(" "));
    let open = wanted;
    const boxes = read.columns.map((column, i) => {
      const numeric = column.numbers === read.rows;
      const checked = numeric && open-- > 0;
      return h("tr", {},
        h("td", {}, h("label", { class: "check" }, h("input", { type: "checkbox", value: i, checked }), column.name || `x${i}`)),
        h("td", {}, numeric ? "numbers" : `${column.numbers} of ${read.rows} are numbers`),
        h("td", {}, column.sample.join(", ")));
    });
    found.replaceChildren(h("p", { class: "fine" }, `${read.rows} rows. ${any ? "The columns set the dimension." : `The run takes ${wanted} ${wanted === 1 ? "column" : "columns"}.`}`),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Columns" }, h("table", { class: "columns" },
        h("thead", {}, h("tr", {}, ...["Column", "Cells", "First values"].map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, ...boxes))));
    use.disabled = false;
  }

  async function take() {
    if (source() !== surveyed) await survey();
    if (use.disabled) return;
    const chosen = [...found.querySelectorAll("input")].filter((box) => box.checked).map((box) => box.value);
    const answer = /** @type {import("./stage.js").Answer} */ (await page.host.call("load_columns", label(), csv, chosen.join(","), scaling.value));
    if (!answer.ok) return void complain(answer.problems.map(({ message }) => message).join(" "));
    page.ownData = true;
    element.close();
    notice("file", `${label()}: ${answer.message}.`, "info", 8000);
  }

  async function takeWeights() {
    for (const [pane, buffers] of weights.entries()) {
      for (const [buffer, values] of Object.entries(buffers)) {
        const answer = /** @type {import("./stage.js").Answer} */ (await page.host.call("load_weights", label(), pane, buffer, Float32Array.from(values)));
        if (!answer.ok) return void (problem.textContent = answer.problems.map(({ message }) => message).join(" "));
        notice("file", `${label()}: ${answer.message}.`, "info", 8000);
      }
    }
    element.close();
  }

  const file = h("input", { type: "file", id: "own-file", accept: ".csv,.tsv,.txt,.json,text/csv,text/plain,application/json" });
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    if (chosen.size > MOST_BYTES) return void say(`${chosen.name}: larger than ${MOST_BYTES / 1e6} MB`);
    name = chosen.name;
    area.value = await chosen.text().catch(() => "");
    await survey();
  });
  area.addEventListener("input", throttle(300, () => void survey().catch(() => {})));
  const element = dialog("own", "Your own points",
    h("p", {}, `${page.own ? `They are ${page.own.role}, one a row` : "This system takes none"}. CSV with or without a header, or JSON; nothing leaves your browser.`),
    h("div", { class: "stack" },
      h("label", { for: "own-file" }, "A file"), file,
      h("label", { for: "own-text" }, "or its text"), area,
      found, problem,
      h("div", { class: "across" }, h("label", { for: "own-scale" }, "Scale"), scaling, use, trained)));
  void survey().catch(() => {});
  return element;
}
