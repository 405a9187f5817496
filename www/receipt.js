// How sure one can be that a link shows the same elsewhere: what the state's digest says of this run, and second runs of the
// same link: by the same module, bit for bit, and by the plain one, within a tolerance.
// @ts-check
import { TOLERANCE, compare, isSame } from "./agreement.js";
import { compile, freshProgram, loadWasm, partUrl } from "./boot.js";
import { h } from "./dom.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {import("./figure.js").Provenance} Provenance */
/** @typedef {import("./agreement.js").End} End */

const SLICE = 2e6;
const SLICE_MS = 12;

/** @param {string} csv */
const numbers = (csv) => csv.trim().split("\n").slice(1).flatMap((line) => line.split(",").map(Number));

/**
 * Runs a link on the CPU, on this thread, between frames.
 * @param {"simd" | "relaxed"} flavour
 * @param {string} link with its step
 * @param {number} steps
 * @param {(done: number) => void} progress
 * @returns {Promise<End>}
 */
async function runAgain(flavour, link, steps, progress) {
  // Each instance of the glue holds one module.
  const { addPart, init, partNames, Playground } = freshProgram();
  const [{ module }, ...parts] = await Promise.all([loadWasm(flavour), ...partNames.map((name) => compile(partUrl(name, flavour)))]);
  await init({ module_or_path: module });
  parts.forEach((part, index) => addPart(index, part));
  const run = new Playground(link, undefined, "");
  let done = 0;
  while (done < steps) {
    const until = performance.now() + SLICE_MS;
    const before = done;
    while (done < steps && performance.now() < until) done += run.advance(SLICE, steps - done);
    if (JSON.parse(run.running_state()).state !== "ready" && done < steps) break;
    if (done !== before) progress(done);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const digests = /** @type {string[]} */ (JSON.parse(run.provenance()).digests);
  const particles = numbers(run.export_csv("particles"));
  run.free();
  return { digests, particles };
}

/**
 * Runs the link of this state again: by the module that made it, which must give every bit, and where that is not the plain
 * one on the CPU, by that.
 * @param {Page} page
 * @param {Provenance} from
 * @param {(text: string) => void} say
 */
async function verdict(page, from, say) {
  const own = { digests: from.digests, particles: numbers(await page.host.call("export_csv", "particles")) };
  const progress = (/** @type {string} */ by) => (/** @type {number} */ done) => say(`running again by ${by}: step ${done} of ${from.step}`);
  const onDevice = page.described?.panes.some(({ backend }) => backend === "gpu");
  const flavour = from.digests.some((digest) => digest.includes("-relaxed-")) ? "relaxed" : "simd";
  const said = [];
  if (!onDevice) {
    const again = await runAgain(flavour, from.link_here, from.step, progress("the same module"));
    said.push(isSame(own, again) ? `Reproduced: a second run by the same module has every bit of this state (${again.digests.join(", ")}).`
      : `Not reproduced: a second run by the same module ended at ${again.digests.join(", ")}. Please report this.`);
    if (flavour === "simd") return said.join(" ");
  }
  const plain = await runAgain("simd", from.link_here, from.step, progress("the plain module"));
  const { agrees, apart } = compare(own.particles, plain.particles);
  const who = onDevice ? "The CPU, with the plain module" : "The plain module";
  const why = onDevice ? "a GPU adds in another order and has elementary functions of its own" : "relaxed SIMD fuses products and sums";
  said.push(`${who} (${plain.digests.join(", ")}), ${agrees ? "agrees" : "does not agree"} within the tolerance of ${TOLERANCE} (1 + |x|): it ends at most ${apart.toPrecision(2)} away in any coordinate. ${
    why[0].toUpperCase()}${why.slice(1)}, which rounds differently${agrees ? "." : "; steps amplify it, so compare the curves, not the points."}`);
  return said.join(" ");
}

/**
 * @param {Page} page
 * @param {Provenance} from
 */
export function receipt(page, from) {
  const run = page.run;
  const claim = run?.reproduced ?? null;
  const said = h("p", { role: "status", id: "receipt-verdict" }, claim ? `${claim.same ? "Reproduced." : "Differs from the link."} ${claim.text}` : "");
  const row = (/** @type {string} */ name, /** @type {string} */ value) => [h("dt", {}, name), h("dd", {}, value)];
  const check = async () => {
    said.textContent = "running again…";
    said.textContent = await verdict(page, from, (text) => (said.textContent = text));
  };
  const possible = page.host.where === "worker" && from.step > 0 && from.edited_at === null && !from.own_file;
  const button = h("button", {
    type: "button", disabled: !possible, onclick: () => {
      button.disabled = true;
      check().catch((error) => (said.textContent = error instanceof Error ? error.message : String(error))).finally(() => (button.disabled = false));
    },
  }, "Run it again and compare");
  const hint = from.edited_at !== null ? `A setting was changed at step ${from.edited_at}, so no link leads to this state.`
    : from.own_file ? "The particles came from a file, which the link does not hold." : "";
  return h("section", { class: "receipt", "aria-label": "Receipt" },
    h("h3", {}, "Receipt"),
    h("dl", { class: "keys" }, ...row("Step", String(from.step)), ...row("Seed", from.seeds.join(", ")), ...row("Digest", from.digests.join(" ")), ...row("Computed by", `${from.devices.join(" | ")}, version ${from.version}`)),
    h("div", { class: "across" }, button, h("span", { class: "fine" }, hint)), said);
}
