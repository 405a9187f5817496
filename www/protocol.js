// The messages that a page may send to an embedded demo, and their check: whatever comes is data of unknown shape.
// docs/embedding.md describes each of them.
// @ts-check

export const NAMESPACE = "pushforward";
export const VERSION = 1;

const LONGEST_LINK = 32_768;
const LONGEST_VALUE = 4096;
const LONGEST_NAME = 64;
const MOST_STEPS = 1e6;
const LARGEST = 0xffffffff;

/** @typedef {{ request?: string | number }} Request names the message in its answer */
/**
 * @typedef {Request & (
 *   { type: "play" | "pause" | "reset" }
 *   | { type: "step", n: number }
 *   | { type: "seek", k?: number, scene?: number }
 *   | { type: "set", key: string, value: string, pane: number }
 *   | { type: "set", link: string }
 *   | { type: "get", what: "state" | "describe" | "metrics" }
 *   | { type: "export", what: "particles" | "metrics" | "json" | "png" | "svg" }
 * )} Command
 */

/** @param {unknown} value @param {number} longest */
const isText = (value, longest) => typeof value === "string" && value.length > 0 && value.length <= longest;
/** @param {unknown} value @param {number} least @param {number} most */
const isWhole = (value, least, most) => typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;

/**
 * @param {unknown} value of a parameter
 * @returns {string | null}
 */
function parameter(value) {
  if (typeof value === "string") return value.length <= LONGEST_VALUE ? value : null;
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : null;
  return typeof value === "boolean" ? String(value) : null;
}

/** @type {Record<string, readonly string[]>} */
const WORDS = { get: ["state", "describe", "metrics"], export: ["particles", "metrics", "json", "png", "svg"] };

/** @typedef {{ command: Command } | { problem: string, request?: string | number } | null} Read */

/**
 * A message as a command; a problem where it is meant for us and wrong; null where it is none of ours.
 * @param {unknown} data
 * @returns {Read}
 */
export function readMessage(data) {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return null;
  const message = /** @type {Record<string, unknown>} */ (data);
  if (message.ns !== NAMESPACE) return null;
  const request = isText(message.request, LONGEST_NAME) || (typeof message.request === "number" && Number.isFinite(message.request))
    ? /** @type {string | number} */ (message.request) : undefined;
  const bad = (/** @type {string} */ problem) => ({ problem, request });
  if (message.v !== VERSION) return bad(`v: allowed is ${VERSION}`);
  const { type } = message;
  switch (type) {
    case "play":
    case "pause":
    case "reset":
      return { command: { type, request } };
    case "step": {
      const n = message.n ?? 1;
      return isWhole(n, 1, MOST_STEPS) ? { command: { type, n: /** @type {number} */ (n), request } } : bad(`n: allowed are whole numbers from 1 to ${MOST_STEPS}`);
    }
    case "seek": {
      const { k, scene } = message;
      if (k === undefined && scene === undefined) return bad("seek needs k, a step, or scene, a number from 1");
      if (k !== undefined && !isWhole(k, 0, LARGEST)) return bad(`k: allowed are whole numbers from 0 to ${LARGEST}`);
      if (scene !== undefined && !isWhole(scene, 1, LARGEST)) return bad("scene: allowed are whole numbers from 1");
      return { command: { type, k: /** @type {number | undefined} */ (k), scene: /** @type {number | undefined} */ (scene), request } };
    }
    case "set": {
      if (message.link !== undefined) {
        return isText(message.link, LONGEST_LINK) ? { command: { type, link: String(message.link), request } } : bad(`link: allowed are texts of 1 to ${LONGEST_LINK} characters`);
      }
      if (!isText(message.key, LONGEST_NAME)) return bad(`key: allowed are texts of 1 to ${LONGEST_NAME} characters`);
      const value = parameter(message.value);
      if (value === null) return bad(`value: allowed are texts of at most ${LONGEST_VALUE} characters, finite numbers, true and false`);
      const pane = message.pane ?? -1;
      if (!isWhole(pane, -1, 3)) return bad("pane: allowed are 0 to 3, or −1 for all");
      return { command: { type, key: String(message.key), value, pane: /** @type {number} */ (pane), request } };
    }
    case "get":
    case "export": {
      const what = type === "get" ? message.what ?? "state" : message.what;
      const allowed = WORDS[type];
      if (typeof what !== "string" || !allowed.includes(what)) return bad(`what: allowed are ${allowed.join(", ")}`);
      return { command: /** @type {Command} */ ({ type, what, request }) };
    }
    default:
      return bad("type: allowed are play, pause, step, reset, seek, set, get and export");
  }
}
