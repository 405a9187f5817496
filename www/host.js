// Keeps one engine running: in a worker, or on the page's own thread where workers fail. A crashed engine is replaced by
// a fresh one with the same link and the last snapshot. Canvases are made anew each time: a transferred one dies with
// its worker.
// @ts-check
import { compile, loadWasm, partUrl, startWorker } from "./boot.js";
import { byId, h } from "./dom.js";
import { Engine } from "./engine.js";
import { partNames } from "./pkg/pushforward.js";

/** @typedef {import("./messages.js").ToEngine} ToEngine */
/** @typedef {import("./messages.js").FromEngine} FromEngine */
/**
 * @typedef {object} Listener
 * @property {(message: FromEngine) => void} message everything but replies, snapshots and fatal messages
 * @property {(where: "worker" | "page") => void} started an engine is ready, the first or a later one
 * @property {(crashes: number, message: string) => void} crashed
 * @property {(message: string) => void} lost the device was lost; the run goes on on the CPU
 * @property {(message: string) => void} gaveUp
 * @property {(message: string) => void} incomplete a part of the program is missing, and so a call failed
 */

const MOST_CRASHES = 3;
/** An engine that ran longer than this did not crash in a row with the one before. */
const IN_A_ROW_MS = 10_000;
/** Milliseconds of a frame that the engine may use; less on the thread that also serves the page. */
const BUDGET = { worker: 10, page: 7 };

export class Host {
  /**
   * @param {Listener} listener
   * @param {() => import("./messages.js").Size} size
   * @param {import("./device.js").Wish} backend
   */
  constructor(listener, size, backend) {
    this.listener = listener;
    this.size = size;
    this.backend = backend;
    /** Why the device is of no use any more. */
    this.lost = "";
    /** Step that the lost device had reached. */
    this.goal = 0;
    this.link = "";
    this.crashes = 0;
    this.generation = 0;
    this.ready = false;
    this.readySince = 0;
    this.workersFail = false;
    /** @type {Uint8Array | null} */
    this.snapshot = null;
    /** @type {((message: ToEngine) => void) | null} */
    this.send = null;
    /** Takes the layers of each frame while the stage is filmed. @type {((layers: ImageBitmap[]) => void) | null} */
    this.filmed = null;
    /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
    this.waiting = new Map();
    this.calls = 0;
    /** @type {import("./parts.js").Part[]} what the program was completed by, for the engines to come */
    this.parts = [];
    /** @type {Map<string, Promise<void>>} */
    this.fetching = new Map();
  }

  /**
   * Completes the program by what a visitor may ask for. A call does so by itself; earlier is quicker.
   * @returns {Promise<unknown>}
   */
  complete() {
    return Promise.all(["common", "rest"].map((name) => this.need(name)));
  }

  /**
   * Completes the program by a part, downloaded once.
   * @param {string} name
   * @returns {Promise<void>}
   */
  need(name) {
    const index = partNames.indexOf(name);
    const known = this.fetching.get(name);
    // A program in one piece has all it needs.
    if (known || index < 0) return known ?? Promise.resolve();
    const fetching = compile(partUrl(name)).then((module) => {
      const part = { index, module };
      this.parts.push(part);
      this.post({ type: "part", part });
    });
    this.fetching.set(name, fetching);
    fetching.catch(() => this.fetching.delete(name));
    return fetching;
  }

  /** @param {string} link */
  async start(link) {
    this.link = link;
    this.generation += 1;
    const generation = this.generation;
    // Another demo than the opening one needs what the first module lacks. Without it the engine tries for itself.
    const rest = link ? this.complete().catch(() => {}) : null;
    const { module } = await loadWasm();
    await rest;
    if (generation !== this.generation) return;
    const canvases = [h("canvas", { class: "raster" }), h("canvas", { class: "overlay" })];
    byId("canvases").replaceChildren(...canvases);
    const [raster, overlay] = canvases;
    const program = { module, parts: this.parts, partUrls: partNames.map((part) => partUrl(part)) };
    const { backend, lost, goal, snapshot } = this;
    const start = { type: /** @type {const} */ ("start"), ...program, link, size: this.size(), snapshot, backend, lost, goal };
    const transferable = typeof raster.transferControlToOffscreen === "function";
    this.where = /** @type {"worker" | "page"} */ (this.workersFail || !transferable ? "page" : "worker");
    if (this.where === "page") {
      const engine = new Engine((message) => queueMicrotask(() => this.receive(message, generation)));
      this.send = (message) => void engine.receive(message);
      return this.send({ ...start, raster, overlay, budgetMs: BUDGET.page });
    }
    try {
      const worker = startWorker();
      this.worker = worker;
      worker.onmessage = ({ data }) => this.receive(data, generation);
      worker.onerror = (event) => {
        event.preventDefault();
        this.receive({ type: "fatal", message: event.message || "the worker failed" }, generation);
      };
      worker.onmessageerror = () => this.receive({ type: "fatal", message: "a message was lost" }, generation);
      this.send = (message) => worker.postMessage(message);
      const surfaces = { raster: raster.transferControlToOffscreen(), overlay: overlay.transferControlToOffscreen() };
      worker.postMessage({ ...start, ...surfaces, budgetMs: BUDGET.worker }, [surfaces.raster, surfaces.overlay]);
    } catch {
      this.onPage();
    }
  }

  /** Workers do not work here: go on without one. */
  onPage() {
    this.workersFail = true;
    this.worker?.terminate();
    void this.start(this.link);
  }

  /**
   * @param {FromEngine} message
   * @param {number} generation of the engine that sent it
   */
  receive(message, generation) {
    if (generation !== this.generation) return;
    switch (message.type) {
      case "ready":
        this.ready = true;
        this.readySince = performance.now();
        this.listener.message(message);
        this.listener.started(this.where ?? "page");
        if (this.filmed) this.film(this.filmed);
        break;
      case "frame":
        this.filmed?.(message.layers);
        break;
      case "part":
        this.parts.push(message.part);
        this.fetching.set(partNames[message.part.index], Promise.resolve());
        break;
      case "reply":
        this.waiting.get(message.id)?.resolve(message.value);
        this.waiting.delete(message.id);
        break;
      case "snapshot":
        this.snapshot = message.bytes;
        break;
      case "lost":
        this.snapshot = message.bytes;
        [this.lost, this.goal] = [message.message, message.step];
        this.listener.lost(message.message);
        this.abandon("the GPU was lost");
        void this.start(this.link);
        break;
      case "fatal":
        this.crash(message.message);
        break;
      default:
        if (message.type === "state") this.link = message.link;
        this.listener.message(message);
    }
  }

  /** Ends the present engine. @param {string} message for those who wait for its answers */
  abandon(message) {
    for (const { reject } of this.waiting.values()) reject(new Error(message));
    this.waiting.clear();
    this.send = null;
    this.worker?.terminate();
  }

  /** @param {string} message */
  crash(message) {
    this.abandon(message);
    if (!this.ready && this.where === "worker") return this.onPage();
    this.ready = false;
    this.crashes = performance.now() - this.readySince > IN_A_ROW_MS ? 1 : this.crashes + 1;
    if (this.crashes >= MOST_CRASHES) return this.listener.gaveUp(message);
    this.listener.crashed(this.crashes, message);
    void this.start(this.link);
  }

  /**
   * Films the stage from here on, through crashes too, or no longer.
   * @param {((layers: ImageBitmap[]) => void) | null} take gets each frame's layers, lowest first, and closes them
   */
  film(take) {
    this.filmed = take;
    this.post({ type: "film", on: take !== null });
  }

  /** @param {ToEngine} message */
  post(message) {
    this.send?.(message);
  }

  /**
   * Calls a method of the Playground; a JSON answer comes back parsed.
   * @param {string} method
   * @param {...any} args
   * @returns {Promise<any>}
   */
  async call(method, ...args) {
    await this.complete().catch((error) => {
      this.listener.incomplete(error.message);
      throw error;
    });
    if (!this.send) throw new Error("the program is not running");
    this.calls += 1;
    const id = this.calls;
    const value = await new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.post({ type: "call", id, method, args });
    });
    return typeof value === "string" && value.startsWith("{") ? JSON.parse(value) : value;
  }
}
