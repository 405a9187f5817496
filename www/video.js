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
 * @param {string} type
 * @returns {{ stop: () => Promise<Blob>, stopped: Promise<Blob> }}
 */
export function record(type) {
  const sources = /** @type {HTMLCanvasElement[]} */ ([...document.querySelectorAll("#canvases canvas")]);
  const canvas = h("canvas", { width: sources[0].width & ~1, height: sources[0].height & ~1 });
  const ctx = canvas.getContext("2d");
  let frame = 0;
  // The stage's canvases may belong to a worker, so each frame is copied from what the page shows.
  const copy = () => {
    for (const source of sources) if (source.width && source.height) ctx?.drawImage(source, 0, 0, canvas.width, canvas.height);
    frame = requestAnimationFrame(copy);
  };
  copy();
  const recorder = new MediaRecorder(canvas.captureStream(FRAMES_A_SECOND), { mimeType: type, videoBitsPerSecond: BITS_A_SECOND });
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => {
    recorder.onstop = () => {
      cancelAnimationFrame(frame);
      resolve(new Blob(parts, { type: type.split(";")[0] }));
    };
  });
  recorder.start(1000);
  const end = () => recorder.state !== "inactive" && recorder.stop();
  const timer = setTimeout(end, LONGEST_MS);
  return {
    stopped: /** @type {Promise<Blob>} */ (stopped),
    stop: () => {
      clearTimeout(timer);
      end();
      return /** @type {Promise<Blob>} */ (stopped);
    },
  };
}
