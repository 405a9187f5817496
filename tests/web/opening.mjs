// @ts-check
// Prints the flags of the functions that ran while the front page opened and played by itself, from a build in which each
// function sets one: `cargo xtask bless` makes it, and keeps the names. What a visitor causes is not in it. With `--gpu` the
// demo runs on a device.
import { WEBGPU, launch, serveDist } from "./site.mjs";

/** Keeps the program's instances where this script can find them; goes before the site's own script. */
const KEEP = `{
  const make = WebAssembly.instantiate;
  self.instances = [];
  WebAssembly.instantiate = async (...all) => {
    const made = await make(...all);
    self.instances.push(made.instance ?? made);
    return made;
  };
}
`;

const onDevice = process.argv.includes("--gpu");
const site = await serveDist();
const browser = await launch(onDevice ? WEBGPU : []);
/** @type {Set<string>} */
const ran = new Set();

/**
 * @param {import("playwright-core").BrowserContextOptions} options
 * @param {(page: import("playwright-core").Page) => Promise<void>} play
 * @param {"simd" | "relaxed"} flavour
 */
async function visit(options, play, flavour = "relaxed") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  await page.route("**/app.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: KEEP + (await response.text()) });
  });
  await page.route("**/*.wasm", async (route) => {
    const url = route.request().url().replace("_relaxed", `_${flavour}`);
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  await page.goto(`${site.url}/${onDevice ? "?backend=gpu" : ""}`);
  await page.locator('#app[data-boot="ready"] #stage[data-step]').waitFor();
  await page.waitForTimeout(2000);
  await play(page);
  const flags = await page.workers()[0].evaluate(() => {
    const { instances } = /** @type {{ instances: WebAssembly.Instance[] }} */ (/** @type {unknown} */ (globalThis));
    const exported = instances.flatMap((instance) => Object.entries(instance.exports));
    return exported.filter(([, flag]) => flag instanceof WebAssembly.Global && flag.value === 1).map(([name]) => name);
  });
  flags.forEach((flag) => ran.add(flag));
  await context.close();
}

/** @param {import("playwright-core").Page} page @param {"hidden" | "visible"} state */
const setVisibility = (page, state) =>
  page.evaluate((value) => {
    Object.defineProperty(document, "visibilityState", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);

try {
  await visit({}, async (page) => {
    await page.waitForTimeout(8000);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize({ width: 700, height: 900 });
    await page.waitForTimeout(500);
    await setVisibility(page, "hidden");
    await page.waitForTimeout(500);
    await setVisibility(page, "visible");
    await page.waitForTimeout(500);
    // Not the opening any more, but at once after it.
    await page.keyboard.press(" ");
    await page.waitForTimeout(1000);
  });
  await visit({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 3 }, async () => {});
  await visit({ reducedMotion: "reduce" }, async () => {});
  await visit({}, async () => {}, "simd");
} finally {
  await browser.close();
  site.close();
}
for (const flag of ran) console.log(flag);
