// What the page knows of the wasm module: the signatures of src/web.rs, which documents them.
export function init(options: { module_or_path: WebAssembly.Module }): Promise<{ memory: WebAssembly.Memory }>;
export const partNames: string[];
export const parts: { load(index: number): void };
export function addPart(index: number, module: WebAssembly.Module): void;
export function manifest(): string;
export function roles(): string;
export function crash_for_test(): void;

export class DrawList {
  ops(): Float32Array<ArrayBuffer>;
  text(): string;
  free(): void;
}

export class Device {
  is_software(): boolean;
  free(): void;
}

/** Rejects with the reason in words. */
export function open_device(): Promise<Device>;

export class Playground {
  constructor(link: string, device: Device | undefined, reason: string);
  describe(): string;
  set(pane: number, key: string, value: string): string;
  set_link(link: string): string;
  reset(): void;
  new_seed(): void;
  load_csv(name: string, text: string): string;
  advance(budget: number, most: number): number;
  measure_here(): boolean;
  measure(budget: number): boolean;
  step(): number;
  seen(): number;
  landed(): number;
  is_settled(): boolean;
  refresh(): void;
  lose_device_for_test(): void;
  running_state(): string;
  resize(width: number, height: number, ratio: number): void;
  set_theme(colours: Uint32Array): void;
  set_layers(layers: string): void;
  render(): void;
  /** Throws the reason in words. */
  attach_canvas(canvas: HTMLCanvasElement | OffscreenCanvas): void;
  /** Throws the reason in words. */
  present(): boolean;
  overlay_needs_state(): boolean;
  pixels_ptr(): number;
  pixels_width(): number;
  pixels_height(): number;
  overlay(): DrawList;
  chart(index: number, width: number, height: number): DrawList;
  chart_table(index: number): string;
  pan(dx: number, dy: number): void;
  zoom(x: number, y: number, factor: number): void;
  fit(): void;
  place(x0: number, y0: number, x1: number, y1: number): string;
  draw(points: Float32Array): string;
  probe(x: number, y: number): string;
  snapshot(): Uint8Array<ArrayBuffer>;
  restore(bytes: Uint8Array): string;
  export_csv(what: string): string;
  export_json(): string;
  provenance(): string;
  picture(ratio: number, what: "all" | "uncontoured" | "ground"): Uint8Array<ArrayBuffer>;
  vectors(most?: number): string;
  chart_vectors(index: number, width: number, height: number): string;
  qr(text: string): string;
  survey(name: string, text: string): string;
  load_columns(name: string, text: string, columns: string, scaling: string): string;
  sweep_offer(): string;
  sweep_start(key: string, values: string, seeds: number, steps: number, metric: string): string;
  sweep_advance(budget: number): string;
  sweep_stop(): void;
  sweep_state(): string;
  sweep_chart(width: number, height: number): string;
  link_here(): string;
  link(): string;
  free(): void;
}
