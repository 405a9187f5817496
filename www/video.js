// The stage as a film, in browsers that can record one.
// @ts-check
import { h } from "./dom.js";

const FRAMES_A_SECOND = 30;
const BITS_A_SECOND = 8e6;
/** Longest film: what fits into memory without care. */
const LONGEST_MS = 120_000;

const TYPES = ["video/mp4;codecs=avc1", "video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm"];

/** The kind of film that this browser writes, or null. */
export const filmType = () =>
  (typeof MediaRecorder === "function" && typeof HTMLCanvasElement.prototype.captureStream === "function" && TYPES.find((type) => MediaRecorder.isTypeSupported(type))) || null;

/**
 * Records what the stage shows until `stop` is called.
 * @param {import("./host.js").Host} host
 * @param {string} type
 * @returns {{ stop: () => void, stopped: Promise<Blob> }}
 */
export function record(host, type) {
  const shown = /** @type {HTMLCanvasElement} */ (document.querySelector("#canvases canvas"));
  // Codecs want even sizes.
  const canvas = h("canvas", { width: shown.width & ~1, height: shown.height & ~1 });
  const ctx = canvas.getContext("2d");
  /** The first frame is there: what was recorded before it would be a blank picture. */
  const begun = new Promise((resolve) => host.film((layers) => {
    for (const layer of layers) {
      ctx?.drawImage(layer, 0, 0, canvas.width, canvas.height);
      layer.close();
    }
    resolve(undefined);
  }));
  const recorder = begun.then(() => new MediaRecorder(canvas.captureStream(FRAMES_A_SECOND), { mimeType: type, videoBitsPerSecond: BITS_A_SECOND }));
  const stop = () => void recorder.then((one) => one.state !== "inactive" && one.stop());
  /** @type {Promise<Blob>} */
  const stopped = recorder.then((one) => new Promise((resolve) => {
    /** @type {Blob[]} */
    const parts = [];
    const timer = setTimeout(stop, LONGEST_MS);
    one.ondataavailable = ({ data }) => parts.push(data);
    one.onstop = () => {
      clearTimeout(timer);
      host.film(null);
      resolve(new Blob(parts, { type: type.split(";")[0] }));
    };
    one.start(1000);
  }));
  return { stop, stopped };
}
