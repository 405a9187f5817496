// @ts-check
// What counts as the same run, and what as near enough: a wrong digest, a far, a missing and a broken coordinate are told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TOLERANCE, compare, isSame } from "../../www/agreement.js";

test("the same run has every digest", () => {
  const end = (/** @type {string[]} */ ...digests) => ({ digests, particles: [] });
  assert.ok(isSame(end("wasm32-simd-01", "wasm32-simd-02"), end("wasm32-simd-01", "wasm32-simd-02")));
  for (const other of [end("wasm32-simd-01", "wasm32-simd-03"), end("wasm32-relaxed-01", "wasm32-relaxed-02"), end("wasm32-simd-01"), end()]) {
    assert.equal(isSame(end("wasm32-simd-01", "wasm32-simd-02"), other), false);
  }
  assert.equal(isSame(end(), end()), false, "no digest is no agreement");
});

test("a coordinate may be away by the tolerance, absolutely and for each unit of its size", () => {
  const own = [0, -3, 100];
  const by = (/** @type {number} */ share) => own.map((x) => x + share * TOLERANCE * (1 + Math.abs(x)));
  assert.ok(compare(own, own).agrees && compare(own, by(0.99)).agrees);
  const far = compare(own, [0, -3, by(1.5)[2]]);
  assert.deepEqual([far.agrees, far.at], [false, 2]);
  assert.ok(Math.abs(far.apart - 1.5 * TOLERANCE * 101) < 1e-9);
  for (const broken of [[0, -3], [0, -3, Number.NaN], [0, -3, Infinity], [0, -3, 100, 1], []]) assert.equal(compare(own, broken).agrees, false, `${broken}`);
  assert.equal(compare([], []).agrees, false);
});
