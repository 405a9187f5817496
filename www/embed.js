// A demo inside another page: obeys messages from the pages around it, tells how it stands, keeps out of a slide deck's
// way. Only windows that this one lies in are heard: they chose its address, so they may choose its settings too.
// @ts-check
import { shell } from "./boot.js";
import { throttle } from "./dom.js";
import { pictureOf, vectorsOf } from "./figure.js";
import { currentScene, scenes, showScene } from "./lecture.js";
import { NAMESPACE, VERSION, readMessage } from "./protocol.js";
import { perSecond } from "./transport.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {import("./protocol.js").Command} Command */
/** @typedef {Record<string, unknown>} Fields */

const STATE_MS = 250;
const METRICS_MS = 500;
const FASTEST = 1e9;

/** @param {MessageEventSource | null} source */
function isAround(source) {
  for (let outer = window.parent, inner = /** @type {Window} */ (window); outer !== inner; inner = outer, outer = outer.parent) {
    if (source === outer) return true;
  }
  return false;
}

/** Keys of slide decks, which the deck should get although the demo has the focus. */
const DECK_KEYS = new Map([["PageDown", "next"], ["PageUp", "prev"]]);

/**
 * @param {Page} page
 * @param {MessageEvent[]} early messages that came before this part did
 */
export function embed(page, early) {
  const { host, options } = page;
  /** @param {Window} to @param {string} type @param {Fields} fields */
  const post = (to, type, fields) => {
    try {
      to.postMessage({ ns: NAMESPACE, v: VERSION, type, ...(options.id ? { id: options.id } : {}), ...fields }, "*");
    } catch {
      // The window has gone.
    }
  };
  const tell = (/** @type {string} */ type, /** @type {Fields} */ fields) => post(window.parent, type, fields);

  const state = () => {
    const run = page.run;
    return {
      step: run?.step ?? 0, clock: page.clock, state: run?.state ?? "ready", playing: page.playing, link: page.address(page.link),
      digest: run?.digest ?? null, reproduced: run?.reproduced?.same ?? null, edited_at: run?.edited_at ?? null,
      scene: currentScene() + 1, scenes: scenes().length || 1,
    };
  };
  const metrics = () => ({
    step: page.run?.metrics_step ?? null,
    values: Object.fromEntries((page.described?.charts ?? []).map(({ id }, i) => [id, page.run?.values[i] ?? []])),
  });

  let said = "";
  const tellState = throttle(STATE_MS, () => {
    const now = state();
    const text = JSON.stringify(now);
    if (text !== said) tell("state", now);
    said = text;
  });
  let measured = "";
  const tellMetrics = throttle(METRICS_MS, () => {
    const now = metrics();
    const text = JSON.stringify(now);
    if (text !== measured && now.step !== null) tell("metrics", now);
    measured = text;
  });

  let ready = false;
  const greet = () => {
    if (ready || !page.described || !page.run) return;
    ready = true;
    tell("ready", { ...state(), title: page.described.title, keys: Object.keys(page.described.panes[0].values), shell });
    new ResizeObserver(throttle(STATE_MS, () => tell("height", { height: document.documentElement.scrollHeight }))).observe(document.body);
    for (const event of early.splice(0)) receive(event);
  };

  /** Waits for the step that was sought, then gives the demo its own pace back. @type {(() => void) | null} */
  let arrive = null;
  page.watchers.add((what) => {
    greet();
    if (what === "state" && arrive && page.run && page.run.state !== "ready") arrive();
    tellState();
    tellMetrics();
  });

  /** @param {number} k */
  async function seek(k) {
    arrive = null;
    await host.call("set", -1, "k", k === 0 ? "" : String(k));
    if (k === 0 || (page.run?.step ?? 0) > k) await host.call("reset");
    if (k === 0) return page.setPlaying(false);
    host.post({ type: "speed", perSecond: FASTEST });
    arrive = () => {
      arrive = null;
      host.post({ type: "speed", perSecond: perSecond(page.described?.speed) });
    };
    page.setPlaying(true);
  }

  /**
   * @param {Command} command
   * @param {(type: string, fields: Fields) => void} answer
   */
  async function obey(command, answer) {
    switch (command.type) {
      case "play":
      case "pause":
        page.setPlaying(command.type === "play");
        break;
      case "reset":
        await host.call("reset");
        break;
      case "step":
        if (command.n === 1) host.post({ type: "step" });
        else await seek((page.run?.step ?? 0) + command.n);
        break;
      case "seek":
        if (command.scene !== undefined && !(await showScene(page, command.scene - 1))) {
          return answer("error", { message: `scene: allowed are 1 to ${scenes().length || 1}` });
        }
        if (command.k !== undefined) await seek(command.k);
        break;
      case "set": {
        if ("link" in command) {
          await page.openAddress(command.link);
          break;
        }
        const { problems } = await host.call("set", command.pane, command.key, command.value);
        if (problems?.length) return answer("error", { message: problems.map((/** @type {{ key: string, message: string }} */ p) => `${p.key}: ${p.message}`).join(" ") });
        break;
      }
      case "get":
        if (command.what === "metrics") return answer("metrics", metrics());
        return answer("state", command.what === "describe" ? { ...state(), described: page.described } : state());
      case "export":
        if (page.ownData) return answer("error", { message: "export: the particles come from the reader’s own data, which stay in this frame" });
        return answer("export", { what: command.what, ...(await exported(command.what)) });
    }
    if (command.request !== undefined) answer("state", state());
  }

  /** @param {Extract<Command, { type: "export" }>["what"]} what */
  async function exported(what) {
    if (what === "png") return { mime: "image/png", data: await pictureOf(page, { scale: 2, charts: true }) };
    if (what === "svg") return { mime: "image/svg+xml", data: await vectorsOf(page, { charts: true }) };
    if (what === "json") return { mime: "application/json", data: JSON.stringify(await host.call("export_json")) };
    return { mime: "text/csv", data: await host.call("export_csv", what) };
  }

  let inDeck = false;
  /** @param {boolean} on */
  const slide = (on) => {
    inDeck = on;
    if (!on) arrive = null;
    page.setPlaying(on);
  };

  /** @param {MessageEvent} event */
  function receive(event) {
    const { data, source } = event;
    if (!isAround(source)) return;
    if (!ready) return void (early.length < 64 && early.push(event));
    if (data === "slide:start" || data === "slide:stop") return slide(data === "slide:start");
    const read = readMessage(data);
    if (!read) return;
    const from = /** @type {Window} */ (source);
    const request = "command" in read ? read.command.request : read.request;
    const answer = (/** @type {string} */ type, /** @type {Fields} */ fields) => post(from, type, { ...fields, ...(request === undefined ? {} : { request }) });
    if ("problem" in read) return answer("error", { message: read.problem });
    obey(read.command, answer).catch((error) => answer("error", { message: error instanceof Error ? error.message : String(error) }));
  }
  addEventListener("message", receive);

  addEventListener("keydown", (event) => {
    const method = DECK_KEYS.get(event.key);
    if (!inDeck || !method || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    window.parent.postMessage(JSON.stringify({ method }), "*");
  });
  greet();
}
