// @ts-check
// Measures the built page in Chromium: one JSON line a figure, no assertion. `node bench.mjs [--only W1|W2|W3|page] [--n 1024,4096]`
import { readFileSync, readdirSync } from "node:fs";
import os from "node:os";
import { launch, serveDist } from "./site.mjs";

/** @param {string} name @param {string} fallback */
const argument = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const only = argument("only", "");
const sizes = argument("n", "1024,4096").split(",").map(Number);

// The same links as in `benches/steps`.
const W1 = "v=1&m=svgd&target=banana&bandwidth=0.25&step=0.05&seed=1";
const W2 = "v=1&m=ot-flow&n=1";
const W3 = "v=1&m=two-layer&neurons=512&loss=sample&bias=learned&step=0.001";
/** @param {string} name */
const wanted = (name) => only === "" || only === name;

/** @param {object} line */
const print = (line) => console.log(JSON.stringify({ ...line, load1: +os.loadavg()[0].toFixed(2) }));
/** @param {number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** CPU seconds of every process below this one: the browser, on Linux. */
function browserCpu() {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  const ticks = new Map();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const parent = Number(fields[1]);
      ticks.set(Number(name), Number(fields[11]) + Number(fields[12]));
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // The process has ended meanwhile.
    }
  }
  /** @param {number} of @returns {number} */
  const below = (of) => (children.get(of) ?? []).reduce((sum, id) => sum + ticks.get(id) + below(id), 0);
  return below(process.pid) / 100;
}

/**
 * Steps of a link through the page's own interface, on an empty page, one thread.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {"simd" | "relaxed"} flavour
 * @param {string} workload
 * @param {string} link
 * @param {number} n
 */
async function steps(browser, url, flavour, workload, link, n) {
  const page = await browser.newPage();
  await page.exposeFunction("browserCpu", process.platform === "linux" ? browserCpu : () => 0);
  await page.goto(`${url}/blank`);
  const result = await page.evaluate(
    async ({ flavour, link }) => {
      const glue = "/pkg/pushforward.js";
      const { init, addPart, partNames, Playground } = await import(glue);
      const compiled = (/** @type {string} */ end) => WebAssembly.compileStreaming(fetch(`/pkg/pushforward_${flavour}${end}.wasm`));
      await init({ module_or_path: await compiled("") });
      for (let i = 0; i < partNames.length; i++) addPart(i, await compiled(`.${partNames[i]}`));
      const playground = new Playground(link, undefined, "");
      // About 20 ms of work a call, so that a block ends near the end of a step.
      let budget = 1e5;
      const stepOnce = () => {
        const from = playground.step();
        while (playground.step() === from) {
          const start = performance.now();
          playground.advance(budget, 1);
          if (performance.now() - start < 10) budget *= 2;
        }
      };
      const start = performance.now();
      stepOnce();
      const first = performance.now() - start;
      for (let i = 0; i < 5; i++) stepOnce();
      const before = performance.now();
      stepOnce();
      const steps = Math.max(1, Math.ceil(400 / (performance.now() - before)));
      const wall = [];
      const cpu = [];
      for (let block = 0; block < 7; block++) {
        const cpuBefore = await /** @type {any} */ (globalThis).browserCpu();
        const begun = performance.now();
        const from = playground.step();
        while (playground.step() < from + steps) playground.advance(budget, from + steps - playground.step());
        const done = playground.step() - from;
        wall.push(done / ((performance.now() - begun) / 1e3));
        cpu.push(done / Math.max(0.01, (await /** @type {any} */ (globalThis).browserCpu()) - cpuBefore));
      }
      return { first, wall, cpu };
    },
    { flavour, link },
  );
  const { first, wall, cpu } = result;
  print({
    workload, peer: `pushforward-wasm-${flavour}`, n, threads: 1,
    steps_per_s: median(wall), steps_per_s_min: Math.min(...wall), steps_per_s_max: Math.max(...wall),
    steps_per_cpu_s: process.platform === "linux" ? median(cpu) : null, reps: wall.length, first_call_s: first / 1e3,
  });
  await page.close();
}

/** @param {import("playwright-core").Page} page */
const ready = (page) =>
  page.waitForFunction(() => document.querySelector("#app[data-boot=ready]") && Number(document.getElementById("stage")?.dataset.step) > 0);

/**
 * Frames and steps a second of a link while it plays, and what blocks the page meanwhile.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 * @param {{ name: string, link: string, n: number, seconds: number }} what
 */
async function playing(browser, url, { name, link, n, seconds }) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript(() => {
    const blocks = /** @type {any} */ (globalThis).blocks = [0];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => blocks.push(entry.duration))).observe({ type: "longtask", buffered: true });
  });
  await page.goto(`${url}/?autoplay=1#${link}`);
  await ready(page);
  const loading = await page.evaluate(() => Math.max(.../** @type {any} */ (globalThis).blocks));
  const [worker] = page.workers();
  if (!worker) throw new Error("the page computes without a worker");
  await worker.evaluate(() => {
    const scope = /** @type {any} */ (globalThis);
    scope.frames = 0;
    const { prototype } = scope.OffscreenCanvasRenderingContext2D;
    const { putImageData } = prototype;
    prototype.putImageData = function (/** @type {any[]} */ ...args) {
      scope.frames++;
      return putImageData.apply(this, args);
    };
  });
  await page.waitForTimeout(500);
  const sample = async () => ({
    frames: await worker.evaluate(() => /** @type {any} */ (globalThis).frames),
    step: await page.evaluate(() => Number(document.getElementById("stage")?.dataset.step)),
    at: performance.now(),
  });
  await page.evaluate(() => void (/** @type {any} */ (globalThis).blocks.length = 0));
  const before = await sample();
  await page.waitForTimeout(1e3 * seconds);
  const after = await sample();
  const blocks = await page.evaluate(() => /** @type {any} */ (globalThis).blocks);
  const span = (after.at - before.at) / 1e3;
  print({
    workload: name, peer: "pushforward-page", n, threads: 1,
    frames_per_s: (after.frames - before.frames) / span, steps_per_s: (after.step - before.step) / span,
    longest_task_ms: Math.max(0, ...blocks), tasks_over_50_ms: blocks.length, longest_task_while_loading_ms: loading,
  });
  await page.close();
}

/**
 * A visitor's first visit, each time in a fresh profile: until the page is ready, and until the first step is shown.
 * @param {import("playwright-core").Browser} browser
 * @param {string} url
 */
async function firstVisit(browser, url) {
  const [boot, first] = [[], []].map((list) => /** @type {number[]} */ (list));
  for (let i = 0; i < 5; i++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${url}/?autoplay=1`, { waitUntil: "commit" });
    await page.waitForFunction(() => document.querySelector("#app[data-boot=ready]"));
    boot.push(await page.evaluate(() => performance.now()));
    await ready(page);
    first.push(await page.evaluate(() => performance.now()));
    await context.close();
  }
  print({ workload: "first-visit", peer: "pushforward-page", ready_ms: median(boot), first_step_ms: median(first), reps: first.length });
}

const site = await serveDist();
const browser = await launch();
try {
  for (const flavour of /** @type {const} */ (["simd", "relaxed"])) {
    for (const n of wanted("W1") ? sizes : []) await steps(browser, site.url, flavour, "W1", `${W1}&n=${n}`, n);
    if (wanted("W2")) await steps(browser, site.url, flavour, "W2", `${W2}&batch=1024`, 1024);
    if (wanted("W3")) await steps(browser, site.url, flavour, "W3", `${W3}&samples=1024`, 1024);
  }
  if (wanted("page")) {
    await firstVisit(browser, site.url);
    await playing(browser, site.url, { name: "front-page", link: "", n: 0, seconds: 5 });
    await playing(browser, site.url, { name: "ula-100k", link: "v=1&m=ula&target=banana&n=100000", n: 100_000, seconds: 5 });
  }
} finally {
  await browser.close();
  site.close();
}
