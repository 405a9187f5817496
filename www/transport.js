// The run's controls under the stage: play and pause, step, reset, new seed, speed, and where the run stands.
// @ts-check
import { byId, h } from "./dom.js";
import { brief } from "./numbers.js";

/** Steps a second when the link names none, what the menu offers, and from where on the pace is not limited. */
const NORMAL_PACE = 60;
const PACES = [2, 5, 15, 30, 60, 120, 300, 1000, 1e6];
const FASTEST = 1e6;

/** @typedef {{ play: () => void, step: () => void, reset: () => void, seed: () => void, speed: (value: string) => void }} Actions */
/**
 * @typedef {object} RunState how the run stands, as the program tells it
 * @property {number} step
 * @property {"ready" | "done" | "diverged" | "paused_at_k"} state
 * @property {string} [message]
 * @property {number | null} [last_good]
 * @property {number | null} [edited_at]
 * @property {string | null} [digest]
 * @property {{ same: boolean, text: string } | null} [reproduced]
 * @property {number | null} metrics_step
 * @property {(number | null)[][]} values
 * @property {boolean} measuring
 */

/** @param {Actions} actions */
export function installTransport(actions) {
  byId("play").addEventListener("click", actions.play);
  byId("step").addEventListener("click", actions.step);
  byId("reset").addEventListener("click", actions.reset);
  byId("seed").addEventListener("click", actions.seed);
  const menu = byId("speed", HTMLSelectElement);
  menu.addEventListener("change", () => actions.speed(menu.value));
}

/** @param {number | null | undefined} speed of the link, in steps a second */
export const perSecond = (speed) => ((speed ?? NORMAL_PACE) >= FASTEST ? 1e9 : speed ?? NORMAL_PACE);

/** @param {number | null | undefined} speed of the link */
export function showSpeed(speed) {
  const menu = byId("speed", HTMLSelectElement);
  const pace = speed ?? NORMAL_PACE;
  const paces = [...new Set([...PACES, pace])].sort((a, b) => a - b);
  if (menu.options.length !== paces.length) {
    menu.replaceChildren(...paces.map((each) => h("option", { value: each }, each >= FASTEST ? "fastest" : `${brief(each)} /s`)));
  }
  menu.value = String(pace);
}

/**
 * @param {RunState} run
 * @param {boolean} playing
 */
export function showRun(run, playing) {
  const stage = byId("stage");
  stage.dataset.step = String(run.step);
  stage.dataset.state = run.state;
  stage.dataset.playing = String(playing);
  stage.dataset.digest = run.digest ?? "";
  stage.dataset.metricsStep = String(run.metrics_step ?? "");
  const play = byId("play");
  play.classList.toggle("playing", playing);
  const word = playing ? "Pause" : "Play";
  const label = /** @type {HTMLElement} */ (play.querySelector(".word"));
  if (label.textContent !== word) label.textContent = word;
  byId("clock").textContent = run.step.toLocaleString("en").replace(/,/g, "\u202f");
  const status = byId("status");
  const edited = run.edited_at === null || run.edited_at === undefined ? "" : `edited at step ${run.edited_at}`;
  const reached = { ready: "", done: "done", diverged: "stopped", paused_at_k: "paused by the link" }[run.state];
  status.textContent = run.reproduced ? (run.reproduced.same ? "reproduced" : "differs from the link") : edited || (playing ? "" : reached);
  status.dataset.tip = run.reproduced?.text ?? (edited ? "A setting was changed while the run went on, so a link to this step does not reproduce it." : run.message ?? "");
  status.tabIndex = status.textContent && status.dataset.tip ? 0 : -1;
}
