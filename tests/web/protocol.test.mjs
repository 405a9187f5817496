// @ts-check
// Messages to and from an embedded demo: every command, every event, and whatever else may come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, newPage, open, origin, reached, run, stageHas, started, useBrowser } from "./harness.mjs";
import { randomly, serve } from "./site.mjs";
import { readMessage } from "../../www/protocol.js";

useBrowser();

const LINK = "v=1&m=svgd&target=banana&n=48&seed=3";

/**
 * A page of another origin around a demo, which keeps what the demo says.
 * @param {string} address
 */
async function around(address) {
  const frame = `<iframe id="demo" src="${origin()}/${address}" width="800" height="500" title="demo"></iframe>`;
  const host = await serve({ "/": { text: `<!doctype html><meta charset="utf-8"><title>host</title><script>
    const said = []; addEventListener("message", (e) => said.push({ from: e.source === document.getElementById("demo").contentWindow, ...e.data }));</script>${frame}`, type: "text/html" } });
  const opened = await newPage();
  await opened.page.goto(host.url);
  const inner = await (await opened.page.locator("#demo").elementHandle())?.contentFrame();
  assert.ok(inner);
  await started(inner);
  const page = opened.page;
  /** @param {unknown} message */
  const send = (message) => page.evaluate((data) => /** @type {HTMLIFrameElement} */ (document.getElementById("demo")).contentWindow?.postMessage(data, "*"), message);
  let requests = 0;
  /** @param {Record<string, unknown>} message @returns {Promise<any>} the answer */
  const ask = async (message) => {
    requests += 1;
    await send({ ns: "pushforward", v: 1, request: requests, ...message });
    const answer = await page.waitForFunction((request) => /** @type {any} */ (window).eval("said").find((/** @type {any} */ one) => one.request === request), requests);
    return answer.evaluate(async (one) => ({ ...one, data: one.data instanceof Blob ? { type: one.data.type, bytes: [...new Uint8Array(await one.data.arrayBuffer())] } : one.data }));
  };
  /** @param {string} type */
  const said = (type) => page.evaluate((wanted) => /** @type {any[]} */ (/** @type {any} */ (window).eval("said")).filter((one) => one.type === wanted), type);
  const done = async () => {
    clean(opened.faults.filter((fault) => !fault.startsWith(`foreign request: ${host.url}`)));
    await opened.close();
    host.close();
  };
  return { page, inner, send, ask, said, done };
}

test("every command does what it says, and every event comes", async () => {
  const { page, inner, send, ask, said, done } = await around(`?embed=1&autoplay=0&id=seven#${LINK}`);
  await page.waitForFunction(() => /** @type {any} */ (window).eval("said").some((/** @type {any} */ one) => one.type === "ready"));
  const [ready] = await said("ready");
  assert.deepEqual([ready.id, ready.ns, ready.v, ready.from, ready.step, ready.playing], ["seven", "pushforward", 1, true, 0, false]);
  assert.ok(ready.keys.includes("n") && ready.link.includes("m=svgd"));

  await ask({ type: "play" });
  await reached(inner, 10);
  await ask({ type: "pause" });
  await stageHas(inner, "playing", "false");
  await ask({ type: "reset" });
  await stageHas(inner, "step", "0");
  await ask({ type: "step" });
  await stageHas(inner, "step", "1");
  await ask({ type: "step", n: 9 });
  await stageHas(inner, "state", "paused_at_k");
  assert.equal((await run(inner)).step, 10);

  await ask({ type: "seek", k: 200 });
  await stageHas(inner, "state", "paused_at_k");
  const there = await ask({ type: "get" });
  assert.deepEqual([there.type, there.step, there.state, there.playing], ["state", 200, "paused_at_k", false]);
  assert.equal(there.digest, (await run(inner)).digest);
  await ask({ type: "seek", k: 20 });
  await inner.waitForFunction(() => document.getElementById("stage")?.dataset.step === "20");
  await ask({ type: "seek", k: 200 });
  await inner.waitForFunction(() => document.getElementById("stage")?.dataset.step === "200");
  assert.equal((await ask({ type: "get" })).digest, there.digest, "seeking back and forth comes to the same state");

  const set = await ask({ type: "set", key: "n", value: 20 });
  assert.match(set.link, /n=20/);
  const wrong = await ask({ type: "set", key: "n", value: "many" });
  assert.deepEqual([wrong.type, /n: /.test(wrong.message)], ["error", true]);
  assert.equal((await ask({ type: "set", key: "colour", value: 1 })).type, "error");
  assert.match((await ask({ type: "set", link: "v=1&m=ula&n=30" })).link, /m=ula&n=30/);

  const described = await ask({ type: "get", what: "describe" });
  assert.equal(described.described.panes[0].system, "ula");
  await inner.waitForFunction(() => document.getElementById("stage")?.dataset.metricsStep === "0");
  const metrics = await ask({ type: "get", what: "metrics" });
  assert.equal(metrics.type, "metrics");
  assert.ok(Object.keys(metrics.values).length >= 2);

  const csv = await ask({ type: "export", what: "particles" });
  assert.deepEqual([csv.type, csv.mime, csv.data.trim().split("\n").length], ["export", "text/csv", 31]);
  assert.match((await ask({ type: "export", what: "metrics" })).data, /^step,/);
  assert.equal(JSON.parse((await ask({ type: "export", what: "json" })).data).panes[0].particles.length, 30);
  assert.match((await ask({ type: "export", what: "svg" })).data, /^<svg /);
  assert.deepEqual((await ask({ type: "export", what: "png" })).data.bytes.slice(0, 4), [137, 80, 78, 71]);

  assert.ok((await said("state")).length > 2);
  assert.ok((await said("metrics")).length > 0);
  assert.ok((await said("height")).every((one) => one.height > 100) && (await said("height")).length > 0);
  assert.equal((await ask({ type: "dance" })).type, "error");
  await send("slide:start");
  await stageHas(inner, "playing", "true");
  await send("slide:stop");
  await stageHas(inner, "playing", "false");
  await done();
});

test("a lecture: scenes in one link, by key, by click and by message", async () => {
  const { page, inner, ask, done } = await around("?embed=1&autoplay=0&scene=2#v=1&m=svgd&n=21;;v=1&m=ula&n=22;;v=1&m=mala&n=23");
  const shows = (/** @type {string} */ part) => inner.waitForFunction((wanted) => document.getElementById("scene-number")?.textContent === wanted, part);
  await shows("2 / 3");
  assert.match((await ask({ type: "get", what: "describe" })).described.link, /m=ula&n=22/);
  await inner.locator("#stage").focus();
  await page.keyboard.press("s");
  await shows("3 / 3");
  await ask({ type: "set", key: "n", value: 40 });
  await inner.locator("#scene-before").click();
  await shows("2 / 3");
  const state = await ask({ type: "seek", scene: 3 });
  assert.deepEqual([state.scene, state.scenes], [3, 3]);
  assert.match(state.link, /m=svgd&n=21;;v=1&m=ula&n=22;;v=1&m=mala&n=40/, "the link keeps every scene, changed ones too");
  assert.equal((await ask({ type: "seek", scene: 4 })).type, "error");
  await page.keyboard.press("Shift+S");
  await shows("2 / 3");
  await done();
});

test("predict first, and a poster that waits for a click", async () => {
  const predict = await open(`?reveal=1#${LINK}&k=20`);
  const card = predict.page.locator(".chart").first();
  await stageHas(predict.page, "state", "paused_at_k");
  assert.equal(await card.locator(".value").isVisible(), false);
  assert.doesNotMatch((await predict.page.locator("#summary").textContent()) ?? "", /KSD/, "what is covered is not spoken either");
  await card.locator(".cover").click();
  assert.equal(await card.locator(".value").isVisible(), true);
  assert.equal(await predict.page.locator(".chart .value").nth(1).isVisible(), false);
  clean(predict.faults);
  await predict.close();

  const { page, faults, close } = await newPage();
  /** @type {string[]} */
  const fetched = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.goto(`${origin()}/?embed=1&load=click#${LINK}`);
  await page.locator("#poster").waitFor();
  assert.equal(fetched.some((url) => url.endsWith(".wasm")), false);
  await page.locator("#poster").click();
  await started(page);
  clean(faults);
  await close();
});

test("10,000 random messages raise no exception, and the demo still answers", async () => {
  const { page, inner, ask, done } = await around(`?embed=1&autoplay=0#${LINK}`);
  const random = randomly(4242);
  const pick = (/** @type {any[]} */ list) => list[random(list.length)];
  const words = ["play", "pause", "step", "reset", "seek", "set", "get", "export", "", "constructor", "__proto__", "toString", "ready"];
  const values = [0, 1, -1, 3, 2 ** 32, 1e300, Number.NaN, Infinity, "", "n", "target", "banana", "x".repeat(5000), "v=1&m=svgd&n=9", "\u0000", null, true, [], [1], {}, { n: 1 }, "svg", "state"];
  const names = ["key", "value", "k", "n", "scene", "link", "what", "request", "pane", "id"];
  const messages = Array.from({ length: 10_000 }, () => {
    if (random(10) === 0) return pick([...values, "slide:stop", "slide:", "{", "{\"method\":\"next\"}"]);
    /** @type {Record<string, unknown>} */
    const message = random(8) ? { ns: "pushforward", v: random(12) ? 1 : pick(values), type: random(6) ? pick(words) : pick(values) } : {};
    for (let i = random(4); i > 0; i--) message[pick(names)] = pick(values);
    // Pictures and long runs are slow, not random.
    if (message.type === "export" || (message.type === "step" && typeof message.n === "number" && message.n > 100)) message.what = "nothing";
    return message;
  });
  assert.ok(messages.map(readMessage).filter((read) => read && "command" in read).length > 500, "many of them are commands");
  for (let at = 0; at < messages.length; at += 250) {
    await page.evaluate((batch) => {
      const demo = /** @type {HTMLIFrameElement} */ (document.getElementById("demo")).contentWindow;
      for (const message of batch) demo?.postMessage(message, "*");
    }, messages.slice(at, at + 250));
    await ask({ type: "get" });
  }
  assert.match((await ask({ type: "set", link: LINK })).link, /n=48/);
  await ask({ type: "seek", k: 12 });
  await inner.waitForFunction(() => document.getElementById("stage")?.dataset.step === "12");
  assert.equal(await inner.locator('[data-notice="crash"]').count(), 0);
  await done();
});

test("a window that the demo does not lie in is not heard, and own data are not exported", async () => {
  const { page, inner, ask, done } = await around(`?embed=1&autoplay=0#${LINK}`);
  await page.evaluate(() => {
    const other = document.createElement("iframe");
    other.srcdoc = "<script>parent.document.getElementById('demo').contentWindow.postMessage({ ns: 'pushforward', v: 1, type: 'play' }, '*')<\/script>";
    document.body.append(other);
    return new Promise((resolve) => (other.onload = () => setTimeout(resolve, 500)));
  });
  assert.equal((await run(inner)).playing, false);
  await inner.locator("#file").setInputFiles({ name: "mine.csv", mimeType: "text/csv", buffer: Buffer.from("1,2\n3,4\n") });
  await inner.locator(".notice", { hasText: "mine.csv" }).first().waitFor();
  const refused = await ask({ type: "export", what: "particles" });
  assert.deepEqual([refused.type, /own data/.test(refused.message)], ["error", true]);
  await done();
});
