// The computation behind one stage: owns the wasm Playground, its clock and its canvases. Runs unchanged in the
// worker and, where workers fail, on the page's own thread. It knows no document: messages come in, messages go out.
// @ts-check
import { crash_for_test, init, manifest, roles, Playground } from "./pkg/pushforward.js";
import { Canvases, taken } from "./canvases.js";
import { Ahead, Share, Slices, nextFrame } from "./clock.js";
import { chooseDevice } from "./device.js";
import { add, complete, fetchMissing } from "./parts.js";

/** @typedef {import("./messages.js").Size} Size */
/** @typedef {import("./messages.js").ToEngine} ToEngine */
/** @typedef {import("./messages.js").FromEngine} FromEngine */

/**
 * What the page may call, and what the call changes: the configuration, the view, the overlay, or nothing. "state" changes
 * nothing either, but needs the state after the last step, which a device takes a while to give.
 */
const CALLS = new Map([
  ["set", "run"], ["set_link", "run"], ["reset", "run"], ["new_seed", "run"], ["load_csv", "run"], ["place", "run"],
  ["draw", "run"], ["pan", "view"], ["zoom", "view"], ["fit", "view"], ["set_layers", "view"], ["probe", "overlay"],
  ["chart_table", "nothing"], ["export_csv", "state"], ["export_json", "state"], ["provenance", "state"], ["link_here", "state"],
  ["picture", "state"], ["vectors", "state"], ["chart_vectors", "nothing"], ["qr", "nothing"], ["survey", "nothing"], ["load_columns", "run"], ["load_weights", "run"],
  ["sweep_offer", "nothing"], ["sweep_start", "nothing"], ["sweep_advance", "nothing"], ["sweep_stop", "nothing"], ["sweep_state", "nothing"], ["sweep_chart", "nothing"],
]);

const STATE_MS = 100;
const SNAPSHOT_MS = 1000;
const WATCH_MS = 500;
/** Part of a frame's time that steps may take; the rest is for metrics. */
const RUN_SHARE = 0.6;
/** Part of all time that steps may take until every curve has begun. */
const FIRST_SHARE = 0.2;
/** Part of all time that metrics may take where steps would fill the rest: one of their slices may be longer than a frame. */
const METRICS_SHARE = 0.25;
/** Seconds that a slow step may fall behind before the clock forgives it. */
const MAX_OWED_S = 0.1;

export class Engine {
  /** @param {(message: FromEngine, transfer?: Transferable[]) => void} post */
  constructor(post) {
    this.post = post;
    this.playing = false;
    this.visible = true;
    this.dead = false;
    this.scheduled = false;
    this.chartsDirty = true;
    this.filming = false;
    this.unreported = true;
    this.single = false;
    this.measuring = true;
    this.owed = 0;
    this.perSecond = 60;
    this.last = 0;
    /** Seconds that the run has been playing and seen. */
    this.clock = 0;
    this.lastState = -Infinity;
    this.lastSnapshot = 0;
    this.snapshotStep = -1;
    this.metricsSeen = "";
    this.curvesBegan = false;
    /** @type {[number, number][]} */
    this.chartSizes = [];
    /** @type {Exclude<ToEngine, { type: "start" }>[]} messages that came before the start was done */
    this.early = [];
    this.advancing = new Slices(2e6);
    this.ahead = new Ahead(2e6);
    /** @type {{ id: number, method: string, args: any[] }[]} calls that wait until the device has given its state */
    this.held = [];
    this.seen = -1;
    this.onDevice = false;
    /** Step that a run on a lost device had reached: what was not saved is done again at once. */
    this.goal = 0;
    this.measurement = new Slices(2e6);
    this.metrics = new Share(METRICS_SHARE);
    this.firstSteps = new Share(FIRST_SHARE);
  }

  /** @param {ToEngine} message */
  async receive(message) {
    if (this.dead) return;
    try {
      if (message.type === "start") await this.start(message);
      else if (this.playground) this.obey(message);
      else this.early.push(message);
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
    fetchMissing(start.partUrls);
    const wasm = await init({ module_or_path: start.module });
    start.parts.forEach(add);
    this.memory = wasm.memory;
    this.budgetMs = start.budgetMs;
    this.canvases = new Canvases(start.raster, start.overlay);
    const { device, reason } = await chooseDevice(start.backend, start.lost, () => this.complete(["gpu", "common"]));
    const hasDevice = device !== undefined;
    this.playground = new Playground(start.link, device, reason);
    this.resize(start.size);
    if (start.snapshot) this.playground.restore(start.snapshot);
    this.goal = start.goal;
    if (!hasDevice) this.canvases.takePixels();
    else if (!this.onScreen(() => this.run.attach_canvas(start.raster))) return;
    // A device may go while the run rests, or the frames may go with it.
    if (hasDevice) setInterval(() => this.dead || this.follow(performance.now()), WATCH_MS);
    this.post({ type: "ready", manifest: manifest(), roles: roles(), described: this.describe() });
    this.report(performance.now());
    for (const message of this.early.splice(0)) this.obey(message);
  }

  /**
   * Gets parts of the program; the page keeps them for engines to come.
   * @param {string[]} names
   */
  async complete(names) {
    for (const part of await Promise.all(names.map(complete))) if (part) this.post({ type: "part", part });
  }

  get run() {
    if (!this.playground) throw new Error("not started");
    return this.playground;
  }

  get stage() {
    if (!this.canvases) throw new Error("not started");
    return this.canvases;
  }

  /**
   * Does something with the device's canvas; false where that ends this engine, since a canvas cannot change what paints it.
   * @param {() => void} paint throws the reason in words
   */
  onScreen(paint) {
    try {
      paint();
    } catch (error) {
      if (this.stage.pixels) throw error;
      this.loseDevice(error instanceof Error ? error.message : String(error));
    }
    return !this.dead;
  }

  /** @param {string} message */
  loseDevice(message) {
    this.dead = true;
    const bytes = this.run.snapshot();
    this.post({ type: "lost", message, bytes, step: this.run.step() }, [bytes.buffer]);
  }

  /** What the program is set to, as text; what runs on a device is paced otherwise. */
  describe() {
    const described = this.run.describe();
    this.onDevice = JSON.parse(described).panes.some((/** @type {{ backend: string }} */ pane) => pane.backend === "gpu");
    return described;
  }

  /** @param {Size} size */
  resize({ width, height, ratio }) {
    this.stage.ratio = ratio;
    this.run.resize(width, height, ratio);
    this.stage.pixelsDirty = true;
  }

  /** @param {Exclude<ToEngine, { type: "start" }>} message */
  obey(message) {
    switch (message.type) {
      case "call":
        return this.call(message.id, message.method, message.args);
      case "part":
        return add(message.part);
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
        this.ahead.forget();
        break;
      case "size":
        this.resize(message.size);
        break;
      case "theme":
        this.stage.colours = message.colours;
        this.run.set_theme(message.words);
        this.stage.pixelsDirty = true;
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
        this.stage.preview = message.list.ops.length ? message.list : null;
        break;
      case "film":
        this.filming = message.on;
        this.stage.pixelsDirty = true;
        break;
      case "crash-for-test":
        crash_for_test();
        break;
      case "lose-device-for-test":
        this.run.lose_device_for_test();
    }
    this.stage.vectorsDirty = true;
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
    if (changes === "state" && !this.run.is_settled()) {
      this.held.push({ id, method, args });
      return this.schedule();
    }
    const value = /** @type {any} */ (this.run)[method](...args);
    if (changes !== "nothing" && changes !== "state") this.stage.vectorsDirty = true;
    if (changes === "run" || changes === "view") this.stage.pixelsDirty = this.unreported = true;
    if (changes === "run") {
      this.owed = this.goal = 0;
      if (this.run.step() === 0) this.clock = 0;
      this.chartsDirty = true;
      this.snapshotStep = -1;
      this.post({ type: "described", described: this.describe() });
      this.report(performance.now());
    }
    this.post({ type: "reply", id, value });
    this.schedule();
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
    const { held } = this;
    if (!this.visible && !held.length) return;
    const budget = this.budgetMs ?? 8;
    const turn = this.metrics.has(now, budget);
    if (!held.length && this.mayAdvance(now, budget)) this.advance(now, now + budget * (turn ? RUN_SHARE : 1));
    const rests = held.length > 0 || (!this.playing && !this.single);
    if (rests && this.run.measure_here()) this.measuring = true;
    // A device's steps take no time here, and curves begin at once.
    const hurried = this.playing && !this.onDevice && this.owed >= 1 && this.curvesBegan;
    if (turn || !hurried) this.measure(now + budget, hurried);
    if (this.onDevice) this.follow(now);
    if (this.dead) return;
    if (held.length && this.run.is_settled()) for (const { id, method, args } of held.splice(0)) this.call(id, method, args);
    this.paint(now);
    if ((this.unreported || this.chartsDirty) && now - this.lastState >= STATE_MS) this.report(now);
    const busy = this.playing || this.stage.pixelsDirty || this.single || this.measuring || this.owed >= 1 || !this.run.is_settled();
    if (busy || this.unreported || this.chartsDirty) this.schedule();
  }

  /**
   * Whether steps have their turn: the first values of the curves come before most of them.
   * @param {number} now
   * @param {number} most milliseconds that may be saved up
   */
  mayAdvance(now, most) {
    return this.curvesBegan || !this.measuring || this.onDevice || this.firstSteps.has(now, most);
  }

  /**
   * @param {number} deadline
   * @param {boolean} hurried whether steps wait meanwhile
   */
  measure(deadline, hurried) {
    const begun = performance.now();
    do {
      // The slice that ends a measurement answers false, and brings its row.
      this.unreported ||= this.measuring;
      this.measuring = this.measurement.run((units) => this.run.measure(units));
    } while (this.measuring && performance.now() < deadline);
    if (hurried) this.metrics.credit -= performance.now() - begun;
  }

  /**
   * Keeps up with a device: what it has come to, what it shows, whether it is still there.
   * @param {number} now
   */
  follow(now) {
    const { run } = this;
    this.ahead.note(run.step(), run.landed(), now);
    const seen = run.seen();
    if (seen !== this.seen) this.stage.vectorsDirty = this.unreported = true;
    this.seen = seen;
    // Particles are drawn where they are; what is computed from them here, and what is saved, has to come back.
    const due = now - this.lastSnapshot >= SNAPSHOT_MS;
    if (seen !== run.step() && (due || run.overlay_needs_state())) run.refresh();
    const { state, message } = JSON.parse(run.running_state());
    if (state === "lost") this.loseDevice(message);
  }

  /**
   * @param {number} now
   * @param {number} deadline
   */
  advance(now, deadline) {
    const begun = performance.now();
    const elapsed = Math.min(MAX_OWED_S, Math.max(0, (now - this.last) / 1000));
    this.last = now;
    if (this.playing) this.clock += elapsed;
    const behind = this.goal - this.run.step();
    if (behind > 0) this.owed = behind;
    else if (this.single) this.owed = 1;
    else if (!this.playing) this.owed = 0;
    else this.owed = Math.min(this.owed + elapsed * this.perSecond, 1 + MAX_OWED_S * this.perSecond);
    while (this.owed >= 1 && performance.now() < deadline) {
      const most = Math.min(Math.floor(this.owed), 0xffffffff);
      const work = (/** @type {number} */ units) => this.run.advance(units, most);
      const done = this.onDevice ? work(this.ahead.units) : this.advancing.run(work);
      this.owed -= done;
      if (done > 0) {
        this.stage.pixelsDirty = this.unreported = true;
        this.single &&= this.owed >= 1;
      }
      // A device says later how far it has come.
      if (this.stopped(done) || this.onDevice) break;
    }
    if (!this.curvesBegan) this.firstSteps.credit -= performance.now() - begun;
  }

  /**
   * Whether the run has ended or reached the link's step; then playing ends with it.
   * @param {number} done steps since it was last asked: a run that stands at the link's step goes on when played again
   */
  stopped(done) {
    const { state } = JSON.parse(this.run.running_state());
    if (state === "ready" || state === "lost" || (state === "paused_at_k" && done === 0)) return false;
    this.playing = this.single = false;
    this.report(performance.now());
    return true;
  }

  /** @param {number} now */
  paint(now) {
    const { stage, memory } = this;
    if (!memory) return;
    let painted = false;
    if (!this.onScreen(() => void (painted = stage.paint(this.run, memory))) || !painted || !this.filming) return;
    // A frame that cannot be copied is one that the film lacks.
    stage.film(now)?.then((layers) => this.post({ type: "frame", layers }, layers), () => {});
  }

  /**
   * Posts how the run stands, the charts where they changed, and about once a second a snapshot.
   * @param {number} now
   */
  report(now) {
    this.lastState = now;
    this.unreported = false;
    const step = this.run.seen();
    const state = this.run.running_state();
    const parsed = JSON.parse(state);
    /** @type {(number | null)[][]} */
    const values = parsed.values;
    this.curvesBegan = values[0]?.every((_, pane) => values.some((chart) => chart[pane] !== null)) ?? false;
    const seen = `${parsed.metrics_step} ${JSON.stringify(values)}`;
    let charts = null;
    if ((seen !== this.metricsSeen || this.chartsDirty) && this.stage.colours.length) {
      this.metricsSeen = seen;
      this.chartsDirty = false;
      charts = this.chartSizes.map(([w, h], i) => (w > 0 && h > 0 ? taken(this.run.chart(i, w, h)) : null));
    }
    const transfer = (charts ?? []).flatMap((list) => (list ? [list.ops.buffer] : []));
    this.post({ type: "state", state, link: this.run.link(), playing: this.playing, clock: this.clock, charts }, transfer);
    const due = !this.playing || now - this.lastSnapshot >= SNAPSHOT_MS;
    if (due && this.snapshotStep !== step && parsed.state !== "diverged" && parsed.state !== "lost") {
      this.lastSnapshot = now;
      this.snapshotStep = step;
      const bytes = this.run.snapshot();
      this.post({ type: "snapshot", bytes }, [bytes.buffer]);
    }
  }
}
