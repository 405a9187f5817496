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

/** Keeps what may wait to a part of the time: what once took more waits until that is made up for. */
export class Share {
  /** @param {number} part */
  constructor(part) {
    this.part = part;
    this.credit = 0;
    this.last = 0;
  }
  /**
   * Whether there is time for it.
   * @param {number} now
   * @param {number} most milliseconds that may be saved up
   */
  has(now, most) {
    this.credit = Math.min(most, this.credit + this.part * (now - this.last));
    this.last = now;
    return this.credit > 0;
  }
}

/** Milliseconds in which a device should report; a browser that always takes longer is given half as much again. */
const REPORT_MS = 40;

/** Sizes the work that a device may have ahead of its reports, by how long these take. */
export class Ahead {
  /** @param {number} units to begin with */
  constructor(units) {
    this.units = units;
    this.shortest = Infinity;
    /** @type {{ step: number, at: number } | null} */
    this.sent = null;
  }
  /**
   * @param {number} step submitted
   * @param {number} landed the step that is known to be done
   * @param {number} now
   */
  note(step, landed, now) {
    if (this.sent && landed >= this.sent.step) {
      const ms = now - this.sent.at;
      this.shortest = Math.min(this.shortest, ms);
      if (ms > Math.max(2 * REPORT_MS, 2 * this.shortest)) this.units /= 2;
      else if (ms < Math.max(REPORT_MS, 1.5 * this.shortest)) this.units *= 1.5;
      this.units = Math.min(1e13, Math.max(1e4, this.units));
      this.sent = null;
    }
    if (!this.sent && step > landed) this.sent = { step, at: now };
  }
  /** A pause is not the device's slowness. */
  forget() {
    this.sent = null;
  }
}
