// The stage's own controls: layers, drawing, files, zoom, and the readout under the pointer.
// @ts-check
import { byId, h, throttle } from "./dom.js";
import { notice, withdraw } from "./notices.js";
import { shown } from "./numbers.js";
import { installPointer } from "./pointer.js";

/** @typedef {{ id: string, label: string, doc: string, default: boolean }} Layer */
/** @typedef {{ ok: boolean, problems: { key: string, message: string }[], message?: string }} Answer */
/** @typedef {{ role: string, draw: string }} Own what the reader's own points are to a system */
/**
 * @typedef {object} Run what the stage needs of the page
 * @property {(method: string, ...args: any[]) => Promise<any>} call
 * @property {(message: import("./messages.js").ToEngine) => void} post
 * @property {(role: string) => number} role
 * @property {(answer: Answer, what: string) => void} answered
 * @property {(on: boolean) => void} holdForDrawing
 * @property {(name: string, text: string) => void} choose lets the reader choose from data
 * @property {() => void} owned the points are the reader's own
 * @property {() => Own | null | undefined} own what own points are here
 */

/** The largest file that is read. */
export const MOST_BYTES = 64e6;

/**
 * @param {Run} run
 * @param {{ scale: number, embed: boolean }} options
 */
export function installStage(run, options) {
  const stage = byId("stage");
  const quietly = (/** @type {Promise<unknown>} */ work) => void work.catch(() => {});
  const centre = () => /** @type {const} */ ([stage.clientWidth / options.scale / 2, stage.clientHeight / options.scale / 2]);
  const probe = throttle(50, async (/** @type {number | null} */ x, /** @type {number} */ y) => {
    const found = x === null ? null : await run.call("probe", x, y).catch(() => null);
    byId("cursor").textContent = found?.world ? `(${found.world.map(shown).join(", ")}) ${found.text}`.trim() : "";
  });

  const pointer = installPointer(stage, {
    place: (x0, y0, x1, y1) => quietly(run.call("place", x0, y0, x1, y1).then((answer) => run.answered(answer, "place"))),
    draw: (points) => quietly(run.call("draw", Float32Array.from(points)).then((answer) => run.answered(answer, "draw"))),
    preview: (ops) => run.post({ type: "preview", list: { ops: Float32Array.from(ops), text: [] } }),
    pan: (dx, dy) => quietly(run.call("pan", dx, dy)),
    zoom: (x, y, factor) => quietly(run.call("zoom", x, y, factor)),
    fit: () => quietly(run.call("fit")),
    hover: probe,
    role: run.role,
  }, options);

  const draw = byId("draw");
  const setDrawing = (/** @type {boolean} */ on) => {
    draw.setAttribute("aria-pressed", String(on));
    pointer.setDrawing(on);
    run.holdForDrawing(on);
    if (on) notice("drawing", run.own()?.draw ?? "");
    else withdraw("drawing");
  };
  draw.addEventListener("click", () => setDrawing(draw.getAttribute("aria-pressed") !== "true"));
  byId("zoom-in").addEventListener("click", () => quietly(run.call("zoom", ...centre(), 1.25)));
  byId("zoom-out").addEventListener("click", () => quietly(run.call("zoom", ...centre(), 0.8)));
  byId("fit").addEventListener("click", () => quietly(run.call("fit")));
  installFiles(run);
  installSaves(run);
}

/** @param {Run} run */
function installFiles(run) {
  /** @param {string} name @param {string} text */
  const take = async (name, text) => {
    const columns = { label: "Columns…", run: () => run.choose(name, text) };
    // Other formats than a table of numbers are for the dialog.
    if (/^\s*[[{]/.test(text)) return columns.run();
    const answer = /** @type {Answer} */ (await run.call("load_csv", name, text));
    if (answer.ok) {
      run.owned();
      run.answered(answer, "file");
      notice("file", `${name}: ${answer.message}.`, "info", 12_000, columns);
    } else notice("file", answer.problems.map(({ message }) => message).join(" "), "error", undefined, columns);
  };
  const read = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    if (file.size > MOST_BYTES) return notice("file", `${file.name}: larger than ${MOST_BYTES / 1e6} MB`, "error");
    await take(file.name, await file.text());
  };
  byId("bring").addEventListener("click", () => run.choose("", ""));
  document.addEventListener("paste", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!text.trim() || target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    if (text.length > MOST_BYTES) return notice("file", `The pasted text is larger than ${MOST_BYTES / 1e6} MB`, "error");
    take("pasted text", text).catch(failed);
  });
  const failed = () => notice("file", "The file could not be read.", "error");
  const input = byId("file", HTMLInputElement);
  input.addEventListener("change", () => {
    read(input.files?.[0]).catch(failed);
    input.value = "";
  });
  const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  const mark = (/** @type {boolean} */ on) => byId("app").classList.toggle("dropping", on);
  addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    mark(false);
    read(event.dataTransfer?.files[0]).catch(failed);
  });
}

/** @param {Run} run */
function installSaves(run) {
  for (const button of document.querySelectorAll("[data-save]")) {
    const what = button.getAttribute("data-save") ?? "";
    button.addEventListener("click", async () => {
      const text = await run.call("export_csv", what).catch(() => null);
      if (text === null) return;
      const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      h("a", { href: url, download: `${what}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
  }
}

/**
 * @param {Layer[]} layers
 * @param {(states: Record<string, boolean>) => void} changed
 */
export function installLayers(layers, changed) {
  const root = byId("layers");
  const report = () => changed(Object.fromEntries([...root.querySelectorAll("input")].map((box) => [box.value, box.checked])));
  root.replaceChildren(...layers.map((layer) => h("label", { class: "chip", "data-tip": layer.doc },
    h("input", { type: "checkbox", value: layer.id, checked: layer.default, onchange: report }), layer.label)));
  return report;
}

/**
 * Tells whether the stage can be seen: the tab is shown and the stage is on the screen.
 * @param {(visible: boolean) => void} changed
 */
export function watchVisibility(changed) {
  let onScreen = true;
  const report = () => changed(onScreen && document.visibilityState === "visible");
  document.addEventListener("visibilitychange", report);
  new IntersectionObserver((entries) => {
    onScreen = entries[entries.length - 1].isIntersecting;
    report();
  }).observe(byId("stage"));
}
