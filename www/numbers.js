// Numbers as people read them, and the two scales a slider can have.
// @ts-check

/** Ticks of a slider's range input. */
export const TICKS = 1000;

/** @typedef {{ min: number, max: number, log: boolean, whole: boolean }} Range */

/** @param {number} value */
export const brief = (value) => String(Number(value.toPrecision(3)));

/**
 * @param {number | null | undefined} value
 */
export function shown(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2).replace("e+", "e").replace("-", "−");
  return value.toPrecision(3).replace("-", "−");
}

/**
 * @param {Range} range
 * @param {number} tick
 */
export function fromTick({ min, max, log, whole }, tick) {
  const t = tick / TICKS;
  const value = log ? min * (max / min) ** t : min + (max - min) * t;
  return whole ? Math.round(value) : Number(value.toPrecision(3));
}

/**
 * @param {Range} range
 * @param {number} value
 */
export function toTick({ min, max, log }, value) {
  const t = log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
  return Math.round(TICKS * Math.min(1, Math.max(0, t)));
}
