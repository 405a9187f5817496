// How sure one can be that a link shows the same elsewhere: what the state's digest says of this run, and a second run of
// the same link by the plain module, with how far the two lie apart.
// @ts-check
import { compile, loadWasm, partUrl } from "./boot.js";
import { h } from "./dom.js";
import { addPart, init, partNames, Playground } from "./pkg/pushforward.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {import("./figure.js").Provenance} Provenance */

const SLICE = 2e6;
const SLICE_MS = 12;

/** @param {string} csv */
const numbers = (csv) => csv.trim().split("\n").slice(1).flatMap((line) => line.split(",").map(Number));

/**
 * Runs a link with the plain module, on this thread, between frames.
 * @param {string} link with its step
 * @param {number} steps
 * @param {(done: number) => void} progress
 */
async function plainly(link, steps, progress) {
  const [{ module }, ...parts] = await Promise.all([loadWasm("simd"), ...partNames.map((name) => compile(partUrl(name, "simd")))]);
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
    const [own, again] = await Promise.all([
      page.host.call("export_csv", "particles").then(numbers),
      plainly(from.link_here, from.step, (done) => (said.textContent = `running again: step ${done} of ${from.step}`)),
    ]);
    const why = page.described?.panes.some(({ backend }) => backend === "gpu")
      ? "a GPU adds in another order and has elementary functions of its own"
      : "relaxed SIMD fuses products and sums";
    const same = again.digests.every((digest, i) => digest.split("-").at(-1) === from.digests[i]?.split("-").at(-1));
    const apart = own.reduce((/** @type {number} */ most, /** @type {number} */ value, /** @type {number} */ i) => Math.max(most, Math.abs(value - again.particles[i])), 0);
    const scale = own.reduce((/** @type {number} */ most, /** @type {number} */ value) => Math.max(most, Math.abs(value)), 0);
    said.textContent = same
      ? `Reproduced: a second run by the plain module (${again.digests.join(", ")}) has every bit of this state.`
      : `The plain module (${again.digests.join(", ")}) ends at most ${apart.toPrecision(2)} away in any coordinate, where the largest is ${scale.toPrecision(3)}: ${why}, which rounds differently, and steps amplify it.`;
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
