// Entry of the page: joins the engine to what is on the screen. Every name, range and default comes from the program.
// @ts-check
import { keepForOffline, loadWasm, more, preset } from "./boot.js";
import { installTabs, showAbout } from "./about.js";
import { addressOf, installAddress } from "./address.js";
import { Charts } from "./charts.js";
import { Controls } from "./controls.js";
import { byId, h } from "./dom.js";
import { installGallery, showPresets } from "./gallery.js";
import { Host } from "./host.js";
import { notice, noticeAll, withdraw } from "./notices.js";
import { readOptions, restrict } from "./options.js";
import { installShortcuts } from "./shortcuts.js";
import { installLayers, installStage, watchVisibility } from "./stage.js";
import { nextTheme, palette, setTheme } from "./theme.js";
import { installTips } from "./tips.js";
import { installTransport, perSecond, showRun, showSpeed } from "./transport.js";

/** @typedef {import("./messages.js").Pane} Pane */
/** @typedef {import("./messages.js").Described} Described */

const SPEAK_MS = 10_000;
const OFFLINE_MS = 4000;

/** @typedef {import("./more.js").Parts} Parts */
/** @typedef {typeof page} Page */

/** Messages that come before the part that answers them; more are not kept. */
const MOST_EARLY = 64;

const kept = preset();
const options = readOptions(location.search || kept.query);
const app = byId("app");
/** @type {{ systems: import("./gallery.js").System[], layers: import("./stage.js").Layer[] } | null} */
let manifest = null;
/** @type {string[]} */
let roles = [];
/** @type {Described | null} */
let described = null;
/** @type {import("./transport.js").RunState | null} */
let run = null;
let playing = options.autoplay;
/** Seconds that the run has been playing. */
let clock = 0;
let link = "";
let pane = 0;
let visible = true;
let lastSpoken = 0;

const host = new Host({
  message: receive,
  started,
  crashed: (count, message) => notice("crash", `The computation stopped (${message}). It goes on from its last snapshot; try ${count + 1}.`, "warning", 12_000),
  lost: (message) => notice("lost", `The GPU was lost (${message}). The run goes on on the CPU, from its last saved step.`, "warning", 12_000),
  gaveUp: (message) => {
    app.dataset.boot = "failed";
    notice("crash", `The computation stopped three times in a row (${message}). Your link is in the address bar: change a setting there, or reload the page.`, "error");
  },
  incomplete: (message) => notice("part", `A part of the program could not be loaded (${message}). What is on the stage goes on; try again when you are online.`, "error"),
}, stageSize, options.backend);

/** What the parts that are loaded on demand may use. */
const page = {
  options, host, openLink, openAddress, setPlaying, edit, answered,
  get described() { return described; },
  get manifest() { return manifest; },
  get roles() { return roles; },
  get run() { return run; },
  get link() { return link; },
  get playing() { return playing; },
  get clock() { return clock; },
  get pane() { return pane; },
  /** What own points are to the system shown. */
  get own() { return shownSystem()?.own; },
  /** Whether the points are, or were, the reader's own. */
  ownData: false,
  /** Colours in the order of the roles. @type {string[]} */
  colours: [],
  /** The whole link where a lecture has several scenes. @type {(link: string) => string} */
  address: (scene) => scene,
  /** Leaves the lecture. */
  leave: () => {},
  /** Called after each message that says how the run stands or what it is. @type {Set<(type: "state" | "described") => void>} */
  watchers: new Set(),
};
/** @param {(parts: Parts) => void} use */
const withMore = (use) => void more().then(use).catch((error) => notice("more", `This part did not load: ${error.message}`, "error"));

/**
 * Opens what was typed or sent from elsewhere, in the place of a lecture.
 * @param {string} asked
 */
function openAddress(asked) {
  page.leave();
  return openLink(asked);
}

const writeAddress = installAddress((typed) => void openAddress(typed));
const controls = new Controls(byId("controls"), (key, value) => edit(key, value), options);
const charts = new Charts(byId("charts"), (index) => host.call("chart_table", index), (sizes) => host.post({ type: "charts", sizes }), options.scale);

function stageSize() {
  const stage = byId("stage");
  const { scale } = options;
  return { width: stage.clientWidth / scale, height: stage.clientHeight / scale, ratio: Math.min(2, devicePixelRatio) * scale };
}

/** @param {import("./messages.js").FromEngine} message */
function receive(message) {
  if (message.type === "ready") {
    if (!manifest) firstStart(message.manifest, message.roles);
    describe(message.described);
  } else if (message.type === "described") describe(message.described);
  else if (message.type === "state") {
    playing = message.playing;
    link = message.link;
    clock = message.clock;
    showState(JSON.parse(message.state));
    if (message.charts) charts.draw(message.charts);
    writeAddress(page.address(link));
  } else return;
  for (const tell of page.watchers) tell(message.type === "state" ? "state" : "described");
}

/**
 * @param {string} manifestText
 * @param {string} rolesText
 */
function firstStart(manifestText, rolesText) {
  manifest = /** @type {NonNullable<typeof manifest>} */ (JSON.parse(manifestText));
  roles = JSON.parse(rolesText);
  installGallery(manifest.systems, (chosen) => void openLink(chosen));
  reportLayers = installLayers(manifest.layers, (states) => void host.call("set_layers", JSON.stringify(states)));
  restrict(document, options);
  app.dataset.boot = "ready";
}

let isMet = false;
/** Whether a poster stands in the program's place, and nothing is downloaded yet. */
let isPoster = options.poster;

/** What a visitor may ask for is on its way before it is asked for; those who only look in download what they see. */
function meet() {
  if (isMet || isPoster) return;
  isMet = true;
  void host.complete().catch(() => {});
  // After the first pictures: keeping files competes with them for the network.
  setTimeout(() => void loadWasm().then(({ flavour }) => keepForOffline(flavour)), OFFLINE_MS);
}

/** Sends the layer switches again, to an engine that has not heard of them. */
let reportLayers = () => {};

let restarted = false;

/** @param {"worker" | "page"} where */
function started(where) {
  byId("stage").dataset.where = where;
  sendTheme();
  if (restarted) reportLayers();
  restarted = true;
  host.post({ type: "charts", sizes: charts.sizes() });
  host.post({ type: "visible", on: visible });
  host.post({ type: "playing", on: playing });
  badge();
}

function sendTheme() {
  const { words, colours } = palette(roles);
  page.colours = colours;
  charts.recolour(colours);
  host.post({ type: "theme", words, colours });
}

/** @param {string} text */
function describe(text) {
  described = /** @type {Described} */ (JSON.parse(text));
  link = described.link;
  const { scenes } = described;
  if (scenes.length) {
    const whole = location.hash.slice(1) || kept.scene;
    page.address = () => whole;
    withMore((parts) => parts.lecture(page, scenes));
  }
  noticeAll("link", described.notices);
  host.post({ type: "speed", perSecond: perSecond(described.speed) });
  showSpeed(described.speed);
  charts.show(described.charts);
  pane = Math.min(pane, described.panes.length - 1);
  showPane();
  badge();
  writeAddress(page.address(link));
}

/** The system of the pane that the settings belong to. */
const shownSystem = () => manifest?.systems.find(({ id }) => id === described?.panes[pane].system);

function showPane() {
  if (!described || !manifest) return;
  const shown = described.panes[pane];
  const system = shownSystem();
  if (!system) return;
  app.dataset.own = system.own ? "yes" : "none";
  byId("own-role").textContent = system.own?.role ?? "";
  byId("system-title").textContent = system.title;
  document.title = `${described.title || system.title} · Pushforward`;
  byId("compare").setAttribute("aria-pressed", String(described.panes.length > 1));
  showPresets(system, shown.preset, (chosen) => void openLink(chosen));
  controls.show(`${pane} ${system.id}`, system.params, shown.values, shown.changed);
  showPaneTabs(described.panes);
  if (!byId("about").hidden) void showAbout(system, shown.notes);
}

/** @param {Pane[]} panes */
function showPaneTabs(panes) {
  byId("panes").replaceChildren(...(panes.length < 2 ? [] : panes.map(({ title }, i) => h("button", {
    type: "button", class: `pane${i}`, "aria-pressed": String(i === pane), onclick: () => {
      pane = i;
      showPane();
    },
  }, `${i + 1} · ${title}`))));
}

function badge() {
  const shown = described?.panes[pane];
  if (!shown) return;
  const where = host.where === "page" ? "no worker" : "worker";
  const element = byId("badge");
  element.textContent = `${shown.device}, ${where}`;
  element.dataset.tip = [shown.reason, host.where === "page" ? "Workers do not start here, so the page computes between its own frames." : ""].filter(Boolean).join(" ");
}

/** @param {import("./transport.js").RunState} state */
function showState(state) {
  const before = run?.state;
  run = state;
  showRun(state, playing);
  charts.update(state.values, state.metrics_step);
  if (state.state === "diverged" && before !== "diverged") {
    const good = state.last_good ?? null;
    notice("diverged", `${state.message}${good === null ? "" : ` The last good state, step ${good}, stays on the stage.`}`, "error");
  } else if (state.state !== "diverged") withdraw("diverged");
  if (performance.now() - lastSpoken < SPEAK_MS && state.state === before) return;
  lastSpoken = performance.now();
  byId("summary").textContent = `${described?.title ?? ""}, step ${state.step}${playing ? "" : ", paused"}. ${options.predict ? "Curves are covered." : `${charts.spoken()}.`}`;
}

/** @param {boolean} on */
function setPlaying(on) {
  playing = on;
  host.post({ type: "playing", on });
}

/**
 * @param {string} key
 * @param {string} value
 */
async function edit(key, value) {
  const answer = await host.call("set", pane, key, value);
  return { problems: answer.problems ?? [] };
}

/** The link to open next, while another one is being opened. @type {string | null} */
let wanted = null;
let opening = false;

/** @param {string} asked */
async function openLink(asked) {
  wanted = asked;
  if (opening) return;
  opening = true;
  while (wanted !== null) {
    const next = wanted;
    wanted = null;
    pane = 0;
    controls.forgive();
    withdraw("answer");
    await host.call("set_link", next).catch(() => {});
  }
  opening = false;
  if (options.autoplay) setPlaying(true);
}

async function compare() {
  if (!described) return;
  const [first] = link.split(";");
  const one = described.panes.length > 1;
  await openLink(one ? first : `${first};m=${encodeURIComponent(described.panes[0].system)}`);
  pane = one ? 0 : described.panes.length - 1;
  showPane();
}

async function copyLink() {
  const address = addressOf(page.address(link));
  try {
    await navigator.clipboard.writeText(address);
    notice("copied", "The link is copied.", "info", 3000);
  } catch {
    notice("copied", `Copy this link: ${address}`);
  }
}

/** @param {import("./stage.js").Answer} answer */
function answered(answer) {
  if (answer.ok) withdraw("answer");
  else notice("answer", answer.problems.map(({ message }) => message).join(" "), "error");
}

let playedBeforeDrawing = false;
const actions = {
  play: () => setPlaying(!playing),
  step: () => host.post({ type: "step" }),
  reset: () => void host.call("reset"),
  seed: () => void host.call("new_seed"),
  speed: (/** @type {string} */ value) => void host.call("set", -1, "speed", value),
};
const toggleUi = () => (app.dataset.ui = app.dataset.ui === "none" ? options.ui === "none" ? "full" : options.ui : "none");
const fullscreen = () => void (document.fullscreenElement ? document.exitFullscreen() : app.requestFullscreen?.())?.catch(() => {});
const share = () => withMore((parts) => parts.share(page));
const sweep = () => withMore((parts) => parts.sweep(page));
const help = () => byId("keys", HTMLDialogElement).showModal();

// The page's own address is read before the first paint; a file's own options only here.
if (kept.query && options.theme) setTheme(options.theme);
app.dataset.ui = options.ui;
app.dataset.embed = String(options.embed);
document.documentElement.style.fontSize = `${options.scale * 100}%`;
installTips();
installTabs(showPane);
installTransport(actions);
installStage({
  call: (method, ...args) => host.call(method, ...args),
  post: (message) => host.post(message),
  role: (name) => Math.max(0, roles.indexOf(name)),
  answered,
  choose: (name, text) => withMore((parts) => parts.ownData(page, name, text)),
  owned: () => void (page.ownData = true),
  own: () => page.own,
  holdForDrawing: (on) => {
    if (on) playedBeforeDrawing = playing;
    setPlaying(on ? false : playedBeforeDrawing);
  },
}, options);
installShortcuts([
  { key: " ", shown: "Space", what: "Play or pause", run: actions.play },
  { key: "n", shown: "n", what: "One step", run: actions.step },
  { key: "r", shown: "r", what: "Reset to the same initial state", run: actions.reset },
  { key: "R", shown: "Shift R", what: "New seed", run: actions.seed },
  { key: "c", shown: "c", what: "Compare two settings", run: () => void compare() },
  { key: "l", shown: "l", what: "Copy the link", run: () => void copyLink() },
  { key: "s", shown: "s", what: "Next scene of a lecture (Shift S: previous)", run: () => document.getElementById("scene-next")?.click() },
  { key: "S", shown: "", what: "", run: () => document.getElementById("scene-before")?.click() },
  { key: "w", shown: "w", what: "Sweep over one setting", run: sweep },
  { key: "e", shown: "e", what: "Share: link, slide, picture, data", run: share },
  { key: "h", shown: "h", what: "Hide or show everything but the stage", run: toggleUi },
  { key: "f", shown: "f", what: "Full screen", run: fullscreen },
  { key: "?", shown: "?", what: "This help", run: help },
]);
byId("compare").addEventListener("click", () => void compare());
byId("sweep").addEventListener("click", sweep);
byId("share").addEventListener("click", share);
byId("help").addEventListener("click", help);
byId("theme").addEventListener("click", () => {
  nextTheme();
  sendTheme();
});
for (const sign of ["pointermove", "pointerdown", "keydown", "wheel", "dragenter", "focusin"]) {
  addEventListener(sign, meet, { passive: true, capture: true });
}
if (location.hash.length > 1) meet();
watchVisibility((on) => {
  visible = on;
  host.post({ type: "visible", on });
});
new ResizeObserver(() => host.post({ type: "size", size: stageSize() })).observe(byId("stage"));
const asked = location.hash.slice(1) || kept.scene;
const start = () => host.start(asked).catch((error) => {
  app.dataset.boot = "failed";
  const message = `The program did not start: ${error instanceof Error ? error.message : error}`;
  void more().then((parts) => parts.failed(asked, message), () => (byId("curtain").textContent = message));
});
if (options.predict) withMore((parts) => parts.predict());
if (window.parent !== window) {
  /** @type {MessageEvent[]} */
  const early = [];
  const keep = (/** @type {MessageEvent} */ event) => void (early.length < MOST_EARLY && early.push(event));
  addEventListener("message", keep);
  withMore((parts) => {
    removeEventListener("message", keep);
    parts.embed(page, early);
  });
}
if (options.poster) withMore((parts) => parts.poster(asked, () => {
  isPoster = false;
  void start();
}));
else void start();
