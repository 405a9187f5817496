// Time for the engine: frames, and slices of work that are sized by how long they take.
// @ts-check

/** How long a slice should take. */
const SLICE_MS = 2;

/**
 * Runs something at the next frame: in a worker that has no frames, after about as long.
 * @type {(run: (now: number) => void) => void}
 */
export const nextFrame = (run) =>
  typeof requestAnimationFrame === "function"
    ? void requestAnimationFrame(() => run(performance.now()))
    : void setTimeout(() => run(performance.now()), 16);

/** Runs slices of work whose size follows the time they take. */
export class Slices {
  /** @param {number} units to begin with */
  constructor(units) {
    this.units = units;
  }
  /**
   * @template T
   * @param {(units: number) => T} work
   * @returns {T}
   */
  run(work) {
    const before = performance.now();
    const result = work(this.units);
    const ms = performance.now() - before;
    const factor = ms > 0 ? Math.min(2, Math.max(0.25, SLICE_MS / ms)) : 2;
    this.units = Math.min(1e9, Math.max(1e4, this.units * factor));
    return result;
  }
}
