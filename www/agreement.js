// Whether two runs of one link agree: bit for bit where one module made both, else within a tolerance that is tested.
// @ts-check

/**
 * How far a coordinate may lie from that of another module or device, absolutely and for each unit of its size. After some
 * tens of steps rounding alone leaves less; tests hold plain and relaxed SIMD and a device to it.
 */
export const TOLERANCE = 1e-3;

/** @typedef {{ digests: string[], particles: number[] }} End the digests of the panes, and all coordinates */

/**
 * @param {End} own
 * @param {End} again by the same module
 */
export const isSame = (own, again) => own.digests.length > 0 && own.digests.join(";") === again.digests.join(";");

/**
 * The worst coordinate of two runs, and whether it is within the tolerance. A coordinate that is missing or no number
 * agrees with nothing.
 * @param {number[]} own
 * @param {number[]} other
 */
export function compare(own, other) {
  let worst = { apart: 0, share: 0, at: 0 };
  for (let at = 0; at < Math.max(own.length, other.length); at++) {
    const apart = Math.abs(own[at] - other[at]);
    const share = Number.isNaN(apart) ? Infinity : apart / (TOLERANCE * (1 + Math.abs(own[at])));
    if (share > worst.share) worst = { apart, share, at };
  }
  return { ...worst, agrees: own.length > 0 && worst.share <= 1 };
}
