// A sweep: the runs on the screen at several values of one parameter and for several seeds. The engine works on it between
// the page's messages, a slice a call, so that everything stays responsive and a click stops it.
// @ts-check
import { dialog, download } from "./dialog.js";
import { h } from "./dom.js";
import { redraw } from "./player.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {{ done: number, total: number, columns: string[], rows: (number | null)[][] }} State */

/** Milliseconds that one slice may take: in a worker, and on the thread that also serves the page. */
const SLICE_MS = { worker: 40, page: 8 };
/** Milliseconds between two pictures. */
const SHOW_MS = 250;
const HEIGHT = 260;

/** @param {number | null} cell */
const written = (cell) => (cell === null ? "–" : String(Number(cell.toPrecision(4))));

/** @param {Page} page */
export async function sweep(page) {
  if (document.getElementById("sweep-dialog")) return;
  const { host } = page;
  const offer = await host.call("sweep_offer");
  const params = /** @type {{ key: string, label: string, values: string }[]} */ (offer.params);
  const metrics = /** @type {{ id: string, label: string }[]} */ (offer.metrics);
  const said = h("p", { class: "fine", role: "status" });
  if (!params.length || !metrics.length) {
    dialog("sweep-dialog", "Sweep", h("p", {}, "The panes share no parameter and no metric to sweep over."));
    return;
  }
  const over = h("select", { id: "sweep-over", onchange: () => suggest() }, ...params.map(({ key, label }) => h("option", { value: key }, label)));
  const values = h("input", { id: "sweep-values", type: "text", inputmode: "decimal", spellcheck: "false", autocomplete: "off" });
  const seeds = h("input", { id: "sweep-seeds", type: "number", min: 1, max: 1000, value: 5 });
  const steps = h("input", { id: "sweep-steps", type: "number", min: 1, value: offer.steps });
  const metric = h("select", { id: "sweep-metric" }, ...metrics.map(({ id, label }) => h("option", { value: id }, label)));
  const suggest = () => void (values.value = params.find(({ key }) => key === over.value)?.values ?? "");
  suggest();
  const canvas = h("canvas", { class: "sweep", role: "img", "aria-label": "No values yet" });
  const table = h("table");
  const progress = h("progress", { max: 1, value: 0, "aria-label": "Runs done" });
  const button = h("button", { type: "button", id: "sweep-run", class: "primary", onclick: () => void (running ? (running = false) : start()) }, "Run");
  const save = h("button", { type: "button", disabled: true, onclick: () => download(csv(), "sweep.csv", "text/csv") }, "Save as CSV");
  let running = false;
  /** @type {State} */
  let state = { done: 0, total: 0, columns: [], rows: [] };
  const csv = () => [state.columns.map((name) => `"${name}"`), ...state.rows.map((row) => row.map((cell) => cell ?? ""))].map((line) => line.join(",")).join("\n") + "\n";

  const show = async () => {
    state = await host.call("sweep_state");
    const width = canvas.clientWidth;
    const list = await host.call("sweep_chart", width, HEIGHT);
    const ratio = Math.min(3, devicePixelRatio);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    const ctx = canvas.getContext("2d");
    if (ctx) redraw(ctx, { ops: Float32Array.from(list.ops), text: list.text }, page.colours, ratio);
    canvas.setAttribute("aria-label", `${metric.selectedOptions[0].textContent} against ${over.selectedOptions[0].textContent}; the numbers are in the table below`);
    progress.max = Math.max(1, state.total);
    progress.value = state.done;
    save.disabled = state.done === 0;
    table.replaceChildren(
      h("thead", {}, h("tr", {}, ...state.columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...state.rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, written(cell)))))));
  };
  const start = async () => {
    page.setPlaying(false);
    const answer = await host.call("sweep_start", over.value, values.value, Number(seeds.value), Number(steps.value), metric.value);
    said.textContent = answer.problems.map((/** @type {{ message: string }} */ { message }) => message).join(" ");
    if (!answer.ok) return;
    running = true;
    button.textContent = "Stop";
    said.textContent = "running";
    const slice = SLICE_MS[host.where === "worker" ? "worker" : "page"];
    let [units, shown] = [1e6, 0];
    try {
      do {
        const before = performance.now();
        const { ok, problems } = await host.call("sweep_advance", units);
        if (!ok) throw new Error(problems[0]?.message);
        const took = performance.now() - before;
        units = Math.min(1e9, Math.max(1e5, units * Math.min(2, Math.max(0.5, slice / took))));
        if (performance.now() - shown > SHOW_MS) {
          await show();
          shown = performance.now();
        }
        // Where the engine shares this thread, the page has its turn here.
        await new Promise((resolve) => setTimeout(resolve));
      } while (running && element.isConnected && (state.total === 0 || (await host.call("sweep_state")).done < state.total));
      if (element.isConnected) await show();
      said.textContent = state.done < state.total ? `stopped after ${state.done} of ${state.total} runs` : `${state.total} runs done`;
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error);
    }
    running = false;
    button.textContent = "Run";
  };
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input) => h("div", { class: "across" }, h("label", { for: input.id }, label), input);
  const element = dialog("sweep-dialog", "Sweep",
    h("p", { class: "fine" }, "Every pane runs from its start at each value and for several seeds, on the CPU. Lines go through the medians, bands between the quartiles."),
    h("div", { class: "stack options" }, field("Over", over), field("Values", values), field("Seeds", seeds), field("Steps", steps), field("Metric", metric)),
    h("div", { class: "across" }, button, progress, save), said, canvas,
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The numbers behind the curves" }, table));
  element.addEventListener("close", () => {
    running = false;
    void host.call("sweep_stop").catch(() => {});
  });
}
