// The computation behind one stage: owns the wasm Playground, its clock and its two canvases. Runs unchanged in the
// worker and, where workers fail, on the page's own thread. It knows no document: messages come in, messages go out.
// @ts-check
import { crash_for_test, init, manifest, roles, Playground } from "./pkg/pushforward.js";
import { play, redraw } from "./player.js";

/** @typedef {import("./player.js").DrawList} DrawList */
/** @typedef {HTMLCanvasElement | OffscreenCanvas} Surface */
/**
 * @typedef {object} Size CSS pixels of the stage and device pixels a CSS pixel
 * @property {number} width
 * @property {number} height
 * @property {number} ratio
 */
/**
 * @typedef {{ type: "start", module: WebAssembly.Module, link: string, raster: Surface, overlay: Surface, size: Size,
 *   snapshot: Uint8Array | null, budgetMs: number }
 *   | { type: "call", id: number, method: string, args: any[] }
 *   | { type: "playing", on: boolean } | { type: "step" } | { type: "visible", on: boolean }
 *   | { type: "size", size: Size } | { type: "theme", words: Uint32Array, colours: string[] }
 *   | { type: "charts", sizes: [number, number][] } | { type: "speed", perSecond: number }
 *   | { type: "preview", list: DrawList } | { type: "crash-for-test" }} ToEngine
 */
/**
 * @typedef {{ type: "ready", manifest: string, roles: string, described: string }
 *   | { type: "described", described: string }
 *   | { type: "state", state: string, link: string, playing: boolean, charts: (DrawList | null)[] | null }
 *   | { type: "snapshot", bytes: Uint8Array }
 *   | { type: "reply", id: number, value: any }
 *   | { type: "fatal", message: string }} FromEngine
 */

/** What the page may call, and whether the call may change the configuration. */
const CALLS = new Map([
  ["set", true], ["set_link", true], ["reset", true], ["new_seed", true], ["load_csv", true], ["place", true],
  ["draw", true], ["restore", true], ["pan", false], ["zoom", false], ["fit", false], ["set_layers", false],
  ["probe", false], ["chart_table", false], ["export_csv", false],
]);

const STATE_MS = 100;
const SNAPSHOT_MS = 1000;
const SLICE_MS = 2;
/** Frames that a slow step may fall behind before the clock forgives it. */
const MAX_OWED_S = 0.1;

/** @type {(run: (now: number) => void) => void} */
const nextFrame = (run) =>
  typeof requestAnimationFrame === "function"
    ? void requestAnimationFrame(() => run(performance.now()))
    : void setTimeout(() => run(performance.now()), 16);

/** Runs slices of work whose size follows the time they take. */
class Slices {
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

/**
 * @param {Surface} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
function context2d(canvas, settings) {
  const ctx = /** @type {import("./player.js").Context | null} */ (canvas.getContext("2d", settings));
  if (!ctx) throw new Error("this browser gives no 2-D canvas");
  return ctx;
}

/** @param {{ ops(): Float32Array, text(): string, free(): void }} list */
function taken(list) {
  const copy = { ops: list.ops(), text: /** @type {string[]} */ (JSON.parse(list.text())) };
  list.free();
  return copy;
}

export class Engine {
  /** @param {(message: FromEngine, transfer?: Transferable[]) => void} post */
  constructor(post) {
    this.post = post;
    this.playing = false;
    this.visible = true;
    this.dead = false;
    this.scheduled = false;
    this.dirty = true;
    this.chartsDirty = true;
    this.measuring = false;
    this.single = false;
    this.owed = 0;
    this.perSecond = 60;
    this.last = 0;
    this.lastState = -Infinity;
    this.lastSnapshot = 0;
    this.snapshotStep = -1;
    this.state = "ready";
    this.metricsSeen = "";
    /** @type {string[]} */
    this.colours = [];
    /** @type {[number, number][]} */
    this.chartSizes = [];
    /** @type {DrawList | null} */
    this.preview = null;
    this.advancing = new Slices(2e6);
    this.measurement = new Slices(2e6);
  }

  /** @param {ToEngine} message */
  async receive(message) {
    if (this.dead) return;
    try {
      if (message.type === "start") await this.start(message);
      else if (this.playground) this.obey(message);
    } catch (error) {
      this.fail(error);
    }
  }

  /** @param {unknown} error */
  fail(error) {
    this.dead = true;
    this.post({ type: "fatal", message: error instanceof Error ? error.message : String(error) });
  }

  /** @param {Extract<ToEngine, { type: "start" }>} start */
  async start(start) {
    const wasm = await init({ module_or_path: start.module });
    this.memory = wasm.memory;
    this.budgetMs = start.budgetMs;
    this.raster = context2d(start.raster, { alpha: false });
    this.overlay = context2d(start.overlay);
    this.playground = new Playground(start.link);
    this.resize(start.size);
    if (start.snapshot) this.playground.restore(start.snapshot);
    this.post({ type: "ready", manifest: manifest(), roles: roles(), described: this.playground.describe() });
    this.report(performance.now());
  }

  get run() {
    if (!this.playground) throw new Error("not started");
    return this.playground;
  }

  /** @param {Size} size */
  resize({ width, height, ratio }) {
    this.ratio = ratio;
    this.run.resize(width, height, ratio);
    for (const ctx of [this.raster, this.overlay]) {
      if (!ctx) continue;
      ctx.canvas.width = Math.max(1, Math.round(width * ratio));
      ctx.canvas.height = Math.max(1, Math.round(height * ratio));
    }
  }

  /** @param {Exclude<ToEngine, { type: "start" }>} message */
  obey(message) {
    switch (message.type) {
      case "call":
        this.call(message.id, message.method, message.args);
        break;
      case "playing":
        this.playing = message.on;
        this.last = performance.now();
        this.report(this.last);
        break;
      case "step":
        this.playing = false;
        this.single = true;
        break;
      case "visible":
        this.visible = message.on;
        this.last = performance.now();
        break;
      case "size":
        this.resize(message.size);
        break;
      case "theme":
        this.colours = message.colours;
        this.run.set_theme(message.words);
        this.chartsDirty = true;
        break;
      case "charts":
        this.chartSizes = message.sizes;
        this.chartsDirty = true;
        break;
      case "speed":
        this.perSecond = message.perSecond;
        break;
      case "preview":
        this.preview = message.list.ops.length ? message.list : null;
        break;
      case "crash-for-test":
        crash_for_test();
    }
    this.dirty = true;
    this.schedule();
  }

  /**
   * @param {number} id
   * @param {string} method
   * @param {any[]} args
   */
  call(id, method, args) {
    const changes = CALLS.get(method);
    if (changes === undefined) throw new Error(`no such call: ${method}`);
    const value = /** @type {any} */ (this.run)[method](...args);
    if (changes) {
      this.post({ type: "described", described: this.run.describe() });
      this.chartsDirty = true;
      this.owed = 0;
    }
    this.report(performance.now());
    this.post({ type: "reply", id, value });
  }

  schedule() {
    if (this.scheduled || this.dead) return;
    this.scheduled = true;
    nextFrame((now) => {
      this.scheduled = false;
      if (this.dead) return;
      try {
        this.frame(now);
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** @param {number} now */
  frame(now) {
    if (!this.visible) return;
    const deadline = now + (this.budgetMs ?? 8);
    this.advance(now, deadline);
    do this.measuring = this.measurement.run((units) => this.run.measure(units));
    while (this.measuring && performance.now() < deadline);
    if (this.dirty && this.colours.length) this.paint();
    if (now - this.lastState >= STATE_MS) this.report(now);
    const stale = this.lastReported !== this.run.step() || this.chartsDirty;
    if (this.playing || this.single || this.measuring || this.dirty || stale) this.schedule();
  }

  /**
   * @param {number} now
   * @param {number} deadline
   */
  advance(now, deadline) {
    const elapsed = Math.min(MAX_OWED_S, Math.max(0, (now - this.last) / 1000));
    this.last = now;
    if (this.single) this.owed = 1;
    else if (!this.playing) this.owed = 0;
    else this.owed = Math.min(this.owed + elapsed * this.perSecond, 1 + MAX_OWED_S * this.perSecond);
    while (this.owed >= 1 && performance.now() < deadline) {
      const most = Math.min(this.owed, 0xffffffff);
      const done = this.advancing.run((units) => this.run.advance(units, most));
      this.owed -= done;
      if (done > 0) {
        this.dirty = true;
        if (this.single) {
          this.single = false;
          this.owed = 0;
        }
      } else if (this.stopped()) break;
    }
  }

  /** Whether the run has ended; then playing ends with it. */
  stopped() {
    this.state = JSON.parse(this.run.running_state()).state;
    if (this.state === "ready") return false;
    this.playing = this.single = false;
    this.report(performance.now());
    return true;
  }

  paint() {
    const { raster, overlay, memory } = this;
    if (!raster || !overlay || !memory) return;
    this.dirty = false;
    this.run.render();
    const [width, height] = [this.run.pixels_width(), this.run.pixels_height()];
    if (width > 0 && height > 0) {
      const bytes = new Uint8ClampedArray(memory.buffer, this.run.pixels_ptr(), 4 * width * height);
      raster.putImageData(new ImageData(bytes, width, height), 0, 0);
    }
    redraw(overlay, taken(this.run.overlay()), this.colours, this.ratio ?? 1);
    if (this.preview) play(overlay, this.preview, this.colours, this.ratio ?? 1);
  }

  /**
   * Posts how the run stands, the charts where they changed, and about once a second a snapshot.
   * @param {number} now
   */
  report(now) {
    this.lastState = now;
    this.lastReported = this.run.step();
    const state = this.run.running_state();
    const parsed = JSON.parse(state);
    this.state = parsed.state;
    const seen = `${parsed.metrics_step} ${JSON.stringify(parsed.values)}`;
    let charts = null;
    if ((seen !== this.metricsSeen || this.chartsDirty) && this.colours.length) {
      this.metricsSeen = seen;
      this.chartsDirty = false;
      charts = this.chartSizes.map(([w, h], i) => (w > 0 && h > 0 ? taken(this.run.chart(i, w, h)) : null));
    }
    const transfer = (charts ?? []).flatMap((list) => (list ? [list.ops.buffer] : []));
    this.post({ type: "state", state, link: this.run.link(), playing: this.playing, charts }, transfer);
    if (now - this.lastSnapshot >= SNAPSHOT_MS && this.snapshotStep !== this.lastReported && this.state !== "diverged") {
      this.lastSnapshot = now;
      this.snapshotStep = this.lastReported;
      const bytes = this.run.snapshot();
      this.post({ type: "snapshot", bytes }, [bytes.buffer]);
    }
  }
}
