// The metrics beside the stage: one card each, with its definition as tooltip, the latest values, the curve that the
// program draws, and the numbers behind it as a table.
// @ts-check
import { h } from "./dom.js";
import { shown } from "./numbers.js";
import { redraw } from "./player.js";

/** @typedef {{ id: string, label: string, definition: string, unit?: string }} Chart */
/** @typedef {{ columns: string[], rows: (number | string | null)[][] }} Table */
/** @typedef {(index: number) => Promise<Table>} ReadTable */

const TABLE_ROWS = 200;
const TABLE_MS = 1000;

export class Charts {
  /**
   * @param {HTMLElement} root
   * @param {ReadTable} readTable
   * @param {(sizes: [number, number][]) => void} resized
   * @param {number} scale of the text
   */
  constructor(root, readTable, resized, scale) {
    this.root = root;
    this.readTable = readTable;
    this.scale = scale;
    this.builtFor = "";
    /** @type {{ chart: Chart, value: HTMLElement, canvas: HTMLCanvasElement, details: HTMLDetailsElement, table: HTMLTableElement, list: import("./player.js").DrawList | null }[]} */
    this.cards = [];
    /** @type {string[]} */
    this.colours = [];
    this.watcher = new ResizeObserver(() => resized(this.sizes()));
    this.tableRead = 0;
  }

  /** @param {Chart[]} charts */
  show(charts) {
    const id = JSON.stringify(charts);
    if (id === this.builtFor) return;
    this.builtFor = id;
    this.watcher.disconnect();
    this.cards = charts.map((chart, index) => this.card(chart, index));
    this.root.replaceChildren(...this.cards.map(({ canvas }) => /** @type {HTMLElement} */ (canvas.closest("article"))));
    for (const { canvas } of this.cards) this.watcher.observe(canvas);
  }

  /**
   * @param {Chart} chart
   * @param {number} index
   */
  card(chart, index) {
    const canvas = h("canvas", { "aria-hidden": "true" });
    const value = h("output", { class: "value" }, "–");
    const table = h("table");
    const details = h("details", { ontoggle: () => void this.fill(index) },
      h("summary", { "data-tip": "The numbers behind the curve" }, h("span", { class: "sr" }, `${chart.label}: numbers`)), h("div", { class: "scroll", tabindex: "0" }, table));
    h("article", { class: "chart", "data-chart": chart.id },
      h("header", {}, h("h2", { tabindex: "0", "data-tip": chart.definition }, chart.label), value), canvas, details);
    return { chart, value, canvas, details, table, list: null };
  }

  /** @returns {[number, number][]} in the program's CSS pixels */
  sizes() {
    return this.cards.map(({ canvas }) => [canvas.clientWidth / this.scale, canvas.clientHeight / this.scale]);
  }

  /** @param {string[]} colours in the order of the roles */
  recolour(colours) {
    this.colours = colours;
  }

  /** @param {(import("./player.js").DrawList | null)[]} lists */
  draw(lists) {
    const ratio = Math.min(3, devicePixelRatio);
    this.cards.forEach(({ canvas }, i) => {
      const list = lists[i];
      const ctx = canvas.getContext("2d");
      if (!list || !ctx) return;
      const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      redraw(ctx, list, this.colours, ratio * this.scale);
    });
  }

  /**
   * The latest values: one list a chart, one value a pane.
   * @param {(number | null)[][]} values
   * @param {number | null} step that they belong to
   */
  update(values, step) {
    this.cards.forEach(({ value }, i) => {
      const text = (values[i] ?? []).map(shown);
      const key = `${text.join(" and ")} at step ${step ?? "–"}`;
      if (value.dataset.shown === key) return;
      value.dataset.shown = key;
      value.replaceChildren(...text.map((one, pane) => h("span", text.length > 1 ? { class: `pane${pane}` } : {}, one)),
        ...(step === null ? [] : [h("small", {}, `at ${step}`)]));
    });
    if (performance.now() - this.tableRead < TABLE_MS) return;
    this.tableRead = performance.now();
    this.cards.forEach(({ details }, i) => details.open && void this.fill(i));
  }

  /** @param {number} index */
  async fill(index) {
    const { details, table } = this.cards[index];
    if (!details.open) return;
    const { columns, rows } = await this.readTable(index).catch(() => ({ columns: [], rows: [] }));
    const latest = rows.slice(-TABLE_ROWS).reverse();
    table.replaceChildren(
      h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...latest.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, typeof cell === "number" ? String(Number(cell.toPrecision(6))) : cell ?? "–"))))));
  }

  /** One sentence of the latest values, for those who do not see the curves. */
  spoken() {
    return this.cards.map(({ chart, value }) => `${chart.label} ${value.dataset.shown ?? "–"}`).join(", ");
  }
}
