// @ts-check
// A long stay on the page: many demos opened one after the other, then one run of many steps, with the memory of the browser's
// renderer and the page's own heap on the way. Prints one JSON line a measurement and fails if memory grows.
import { readFile, readdir } from "node:fs/promises";
import { launch, serveDist } from "./site.mjs";

const SWITCHES = Number(process.env.SWITCHES ?? 500);
const STEPS = Number(process.env.STEPS ?? 200_000);
const LINK = `v=1&m=svgd&target=banana&n=32&speed=1e6&k=${STEPS}`;
/** When a demo that keeps the address has been opened. */
const SAME_MS = 3000;
/** What a collector leaves lying about, in bytes and as a share. */
const SLACK = { bytes: 24e6, share: 0.15 };

/** Resident bytes of all renderers: the page, its worker and the wasm memory of both. */
async function rendererBytes() {
  let sum = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!command.includes("--type=renderer")) continue;
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    // Only this script's own browser.
    if (!(await isOurs(Number(pid)))) continue;
    sum += 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return sum;
}

/** @param {number} pid @returns {Promise<boolean>} */
async function isOurs(pid) {
  if (pid === process.pid) return true;
  if (pid <= 1) return false;
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return isOurs(Number(/PPid:\s+(\d+)/.exec(status)?.[1] ?? 0));
}

const site = await serveDist();
const browser = await launch();
/** @type {{ at: string, steps: number, renderer: number, heap: number, nodes: number }[]} */
const measured = [];
try {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: "block" })).newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable");
  let steps = 0;
  /** @param {string} at */
  const measure = async (at) => {
    await client.send("HeapProfiler.collectGarbage");
    const { metrics } = await client.send("Performance.getMetrics");
    const value = (/** @type {string} */ name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
    const now = { at, steps, renderer: await rendererBytes(), heap: value("JSHeapUsedSize"), nodes: value("Nodes") };
    measured.push(now);
    console.log(JSON.stringify(now));
  };
  const step = () => page.locator("#stage").evaluate((stage) => Number(stage.dataset.step));
  await page.goto(`${site.url}/`);
  await page.locator('#app[data-boot="ready"] #stage[data-step]').waitFor();
  await page.locator("#systems").click();
  await page.locator("#rooms button").first().waitFor();
  const demos = await page.locator("#rooms button").count();
  await page.keyboard.press("Escape");
  for (let i = 0; i < SWITCHES; i++) {
    const before = await page.evaluate(() => location.hash);
    await page.evaluate((index) => {
      document.getElementById("systems")?.click();
      /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#rooms button"))[index].click();
    }, i % demos);
    // A system's first preset may be its defaults: then the address stays, and the demo opens again.
    const sinceClick = Date.now();
    await page.waitForFunction(([hash, start, same]) => (location.hash !== hash || Date.now() - Number(start) > Number(same)) && Number(document.getElementById("stage")?.dataset.step) >= 1,
      /** @type {const} */ ([before, sinceClick, SAME_MS]), { timeout: 60_000, polling: 50 });
    steps += await step();
    if ((i + 1) % Math.ceil(SWITCHES / 10) === 0) await measure(`switch ${i + 1} of ${SWITCHES}`);
  }
  const switched = steps;
  await page.evaluate((link) => (location.hash = link), LINK);
  for (let part = 1; part <= 10; part++) {
    await page.waitForFunction((goal) => Number(document.getElementById("stage")?.dataset.step) >= goal, (part * STEPS) / 10, { timeout: 600_000, polling: 100 });
    steps = switched + (await step());
    await measure(`${(part * STEPS) / 10} steps of one run`);
  }
} finally {
  await browser.close();
  site.close();
}
// The first fifth of each half is warm-up.
for (const [from, to] of [[1, 9], [11, 19]]) {
  for (const what of /** @type {const} */ (["renderer", "heap", "nodes"])) {
    const [first, last] = [measured[from][what], measured[to][what]];
    const most = what === "nodes" ? first * 1.5 + 1000 : first * (1 + SLACK.share) + SLACK.bytes;
    if (!(last <= most)) {
      console.error(`${what} grew from ${first} to ${last} between "${measured[from].at}" and "${measured[to].at}"`);
      process.exitCode = 1;
    }
  }
}
console.log(process.exitCode ? "memory grew" : `flat: ${SWITCHES} demos and ${STEPS} steps of one run`);
