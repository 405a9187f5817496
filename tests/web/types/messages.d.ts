// The messages between the page (host.js) and its engine (engine.js), whether a worker stands between them or not.
import type { Part } from "../../../www/parts.js";
import type { DrawList } from "../../../www/player.js";

export type Surface = HTMLCanvasElement | OffscreenCanvas;

/** CSS pixels of the stage, and device pixels a CSS pixel. */
export interface Size {
  width: number;
  height: number;
  ratio: number;
}

export interface Start {
  type: "start";
  module: WebAssembly.Module;
  /** The parts that are there already, and where all are. */
  parts: Part[];
  partUrls: string[];
  link: string;
  raster: Surface;
  overlay: Surface;
  size: Size;
  /** Where to go on from, after a crash. */
  snapshot: Uint8Array | null;
  /** What should compute. */
  backend: import("../../../www/device.js").Wish;
  /** Why a device that ran before is of no use any more, or nothing. */
  lost: string;
  /** Step that it had reached. */
  goal: number;
  /** Milliseconds of a frame that the engine may use. */
  budgetMs: number;
}

export type ToEngine =
  | Start
  | { type: "call"; id: number; method: string; args: any[] }
  | { type: "part"; part: Part }
  | { type: "playing"; on: boolean }
  | { type: "step" }
  | { type: "visible"; on: boolean }
  | { type: "size"; size: Size }
  | { type: "theme"; words: Uint32Array; colours: string[] }
  | { type: "charts"; sizes: [number, number][] }
  | { type: "speed"; perSecond: number }
  | { type: "preview"; list: DrawList }
  | { type: "film"; on: boolean }
  | { type: "crash-for-test" }
  | { type: "lose-device-for-test" };

export type FromEngine =
  | { type: "ready"; manifest: string; roles: string; described: string }
  | { type: "described"; described: string }
  | { type: "state"; state: string; link: string; playing: boolean; clock: number; charts: (DrawList | null)[] | null }
  /** The layers of the stage, lowest first, while it is filmed. */
  | { type: "frame"; layers: ImageBitmap[] }
  | { type: "snapshot"; bytes: Uint8Array }
  | { type: "reply"; id: number; value: any }
  | { type: "lost"; message: string; bytes: Uint8Array; step: number }
  | { type: "part"; part: Part }
  | { type: "fatal"; message: string };

/** One run of a comparison, as the program describes it. */
export interface Pane {
  system: string;
  title: string;
  backend: string;
  device: string;
  /** Why this backend. */
  reason: string;
  values: Record<string, string>;
  changed: string[];
  notes: string[];
  /** Index of the preset that this configuration is. */
  preset: number | null;
}

/** What the program is set to. */
export interface Described {
  link: string;
  /** Links of the scenes, where a lecture was opened just now. */
  scenes: string[];
  title: string;
  notices: { key: string; message: string }[];
  /** Steps a second, where the link says so. */
  speed: number | null;
  panes: Pane[];
  charts: { id: string; label: string; definition: string; unit?: string }[];
}
