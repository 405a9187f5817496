// Pointer gestures on the stage: click or drag places the initial cloud, the draw mode collects points, wheel and pinch
// zoom, shift-drag (or the middle button) pans, double-click fits; the keyboard does the same when the stage has the focus. All coordinates are the stage's CSS pixels.
// @ts-check

/**
 * @typedef {object} Gestures
 * @property {(x0: number, y0: number, x1: number, y1: number) => void} place
 * @property {(points: number[]) => void} draw all points drawn so far
 * @property {(ops: number[]) => void} preview a draw list over the stage; empty: none
 * @property {(dx: number, dy: number) => void} pan
 * @property {(x: number, y: number, factor: number) => void} zoom
 * @property {() => void} fit
 * @property {(x: number | null, y: number) => void} hover
 * @property {(role: string) => number} role index of a colour role
 */

/** A shorter drag is a click. */
const SLOP = 5;
/** Distance between drawn points. */
const SPACING = 7;
const DOUBLE_CLICK_MS = 280;
/** Pixels that an arrow key moves the view. */
const NUDGE = 40;

/**
 * @param {HTMLElement} stage
 * @param {Gestures} gestures
 * @param {{ scale: number, embed: boolean }} options
 */
export function installPointer(stage, gestures, { scale, embed }) {
  /** @type {Map<number, { x: number, y: number }>} */
  const down = new Map();
  /** @type {{ kind: "place" | "draw" | "pan" | "pinch", x: number, y: number } | null} */
  let gesture = null;
  /** @type {number[]} */
  let points = [];
  let drawing = false;
  let clickTimer = 0;

  /** @param {{ clientX: number, clientY: number }} event */
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: (event.clientX - box.left) / scale, y: (event.clientY - box.top) / scale };
  };
  const spread = () => {
    const [a, b] = [...down.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  /** @param {number} x @param {number} y @param {number} r */
  const circle = (x, y, r) => {
    const role = gestures.role("particle");
    gestures.preview([4, x, y, r, 2, role, 0.12, 4, x, y, r, 1, role, 1.5, 0, 1, 7, 0, x, y, 5, 2, role, 1]);
  };
  const dots = () => {
    const ops = [];
    for (let i = 0; i < points.length; i += 2) ops.push(7, 0, points[i], points[i + 1], 5);
    if (ops.length) ops.push(2, gestures.role("particle"), 1);
    gestures.preview(ops);
  };
  /** @param {{ x: number, y: number }} p */
  const addPoint = ({ x, y }) => {
    const last = points.length - 2;
    if (last >= 0 && Math.hypot(points[last] - x, points[last + 1] - y) < SPACING) return;
    points.push(x, y);
    dots();
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.target instanceof Element && event.target.closest("button, label, input")) return;
    if (event.button > 1) return;
    const p = at(event);
    down.set(event.pointerId, p);
    stage.setPointerCapture(event.pointerId);
    if (down.size === 2) gesture = { kind: "pinch", ...spread() };
    else if (event.shiftKey || event.button === 1) gesture = { kind: "pan", ...p };
    else if (drawing) {
      gesture = { kind: "draw", ...p };
      addPoint(p);
    } else gesture = { kind: "place", ...p };
    if (gesture.kind === "pinch") gestures.preview([]);
  });

  stage.addEventListener("pointermove", (event) => {
    const p = at(event);
    gestures.hover(p.x, p.y);
    const before = down.get(event.pointerId);
    if (!before || !gesture) return;
    if (gesture.kind === "pinch" && down.size === 2) {
      const from = spread();
      down.set(event.pointerId, p);
      const to = spread();
      gestures.pan(to.x - from.x, to.y - from.y);
      if (from.length > 0) gestures.zoom(to.x, to.y, to.length / from.length);
      return;
    }
    down.set(event.pointerId, p);
    if (gesture.kind === "pan") gestures.pan(p.x - before.x, p.y - before.y);
    else if (gesture.kind === "draw") for (const each of event.getCoalescedEvents?.() ?? [event]) addPoint(at(each));
    else if (gesture.kind === "place") {
      const radius = Math.hypot(p.x - gesture.x, p.y - gesture.y);
      if (radius > SLOP) circle(gesture.x, gesture.y, radius);
    }
  });

  /** @param {PointerEvent} event */
  const end = (event) => {
    if (!down.delete(event.pointerId) || !gesture) return;
    const { kind, x, y } = gesture;
    if (down.size) return;
    gesture = null;
    const p = at(event);
    if (event.type === "pointercancel") return gestures.preview([]);
    if (kind === "draw") gestures.draw(points);
    if (kind !== "place") return;
    gestures.preview([]);
    if (Math.hypot(p.x - x, p.y - y) > SLOP) return gestures.place(x, y, p.x, p.y);
    // A click waits for the second one of a double-click, which fits the view instead.
    clearTimeout(clickTimer);
    clickTimer = event.detail > 1 ? 0 : window.setTimeout(() => gestures.place(x, y, x, y), DOUBLE_CLICK_MS);
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  stage.addEventListener("pointerleave", () => gestures.hover(null, 0));
  stage.addEventListener("dblclick", (event) => {
    if (drawing || (event.target instanceof Element && event.target.closest("button, label"))) return;
    clearTimeout(clickTimer);
    gestures.fit();
  });

  stage.addEventListener("wheel", (event) => {
    // Where the page itself scrolls, the wheel is the page's until the stage has the focus.
    const scrolls = document.documentElement.scrollHeight > innerHeight + 1;
    if ((embed || scrolls) && !event.ctrlKey && document.activeElement !== stage) return;
    event.preventDefault();
    const { x, y } = at(event);
    const unit = event.deltaMode === 1 ? 16 : 1;
    gestures.zoom(x, y, Math.exp(-Math.max(-120, Math.min(120, event.deltaY * unit)) * (event.ctrlKey ? 0.01 : 0.002)));
  }, { passive: false });

  stage.addEventListener("keydown", (event) => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const [x, y] = [stage.clientWidth / scale / 2, stage.clientHeight / scale / 2];
    const act = {
      ArrowLeft: () => gestures.pan(NUDGE, 0), ArrowRight: () => gestures.pan(-NUDGE, 0),
      ArrowUp: () => gestures.pan(0, NUDGE), ArrowDown: () => gestures.pan(0, -NUDGE),
      "+": () => gestures.zoom(x, y, 1.25), "-": () => gestures.zoom(x, y, 0.8), 0: gestures.fit,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  return {
    /** @param {boolean} on */
    setDrawing(on) {
      drawing = on;
      points = [];
      gestures.preview([]);
      stage.classList.toggle("drawing", on);
    },
  };
}
