// @ts-check
// What people bring: files of particles, drawn and placed clouds, their own log-density.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, dropFile, enter, hash, hashHas, noticed, open, origin, reached, run, saved, stageHas, useBrowser } from "./harness.mjs";
import { randomly } from "./site.mjs";

useBrowser();

/** @param {import("playwright-core").Page} page */
async function middle(page) {
  const box = await page.locator("#stage").boundingBox();
  assert.ok(box);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

test("a dropped CSV sets the initial particles", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await dropFile(page, "mine.csv", "a,b\n1,2\n-0.5,0.25\n3,-1\n");
  await noticed(page, "mine.csv: 3 particles in 2 dimensions");
  await stageHas(page, "step", "0");
  assert.deepEqual((await saved(page, "particles")).rows, [[1, 2], [-0.5, 0.25], [3, -1]]);
  await page.locator("#play").click();
  await reached(page, 5);
  await page.locator("#reset").click();
  await page.locator("#play").click();
  await stageHas(page, "playing", "false");
  clean(faults);
  await close();
});

test("a bad CSV names file, line and cell, and keeps the run", async () => {
  const { page, faults, close } = await open("");
  await reached(page, 30);
  await dropFile(page, "broken.csv", "a,b\n1,2\n3,four\n");
  await page.locator(".notice.error", { hasText: "broken.csv" }).waitFor();
  const text = await page.locator(".notice.error").first().innerText();
  assert.match(text, /line 3/);
  assert.match(text, /cell 2|column 2|four/);
  assert.ok((await run(page)).step >= 30);
  await reached(page, (await run(page)).step + 10);
  clean(faults);
  await close();
});

test("1,000 random files raise no exception, and a sound one is still read", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  const random = randomly(77);
  const cells = ["1", "-2.5", "1e3", "1e400", "nan", "", " ", "x", "\"", "\"1\"", "\"a,b\"", "0x1", "1,5", "\u00e9", "\u0000", "-", ".", "1e", "3.4e38", "{", "[1", "null"];
  const files = Array.from({ length: 1000 }, () => {
    const [columns, by, end] = [1 + random(4), [",", ";", "\t", ", "][random(4)], ["\n", "\r\n", "\r", "\n\n"][random(4)]];
    const row = () => Array.from({ length: random(12) ? columns : random(6) }, () => (random(4) ? String(random(9) - 4) : cells[random(cells.length)])).join(by);
    return Array.from({ length: random(12) }, row).join(end) + (random(2) ? end : "");
  });
  const kept = await page.evaluate(async (texts) => {
    let taken = 0;
    for (const [i, text] of texts.entries()) {
      /** @type {HTMLElement | null} */ (document.querySelector('[data-notice="file"] [aria-label="Dismiss"]'))?.click();
      const data = new DataTransfer();
      data.items.add(new File([text], `${i}.csv`, { type: "text/csv" }));
      const stage = /** @type {HTMLElement} */ (document.getElementById("stage"));
      stage.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
      // Each has its answer before the next comes: a notice, or the dialog for what is no table.
      for (let turn = 0; turn < 400; turn++) {
        await new Promise((resolve) => setTimeout(resolve));
        const notice = document.querySelector('[data-notice="file"]')?.textContent ?? "";
        const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("own"));
        if (dialog) {
          dialog.close();
          break;
        }
        if (notice) {
          taken += Number(/particles? in/.test(notice));
          break;
        }
      }
    }
    return taken;
  }, files);
  assert.ok(kept > 20 && kept < 900, `${kept} of the files were sound`);
  await dropFile(page, "mine.csv", "1,2\n3,4\n");
  await noticed(page, "mine.csv: 2 particles");
  assert.equal(await page.locator('[data-notice="crash"]').count(), 0);
  clean(faults);
  await close();
});

test("own data: JSON, a choice of columns, a standard scale, pasted text, and errors with their lines", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await dropFile(page, "penguins.json", JSON.stringify([{ species: "a", length: 39, depth: 18, mass: 3750 }, { species: "b", length: 46, depth: 13, mass: 5000 }, { species: "c", length: 42, depth: 17, mass: 3900 }]));
  const dialog = page.locator("#own");
  await dialog.locator("tbody tr").nth(3).waitFor();
  assert.deepEqual(await dialog.locator("tbody input").evaluateAll((boxes) => boxes.map((box) => /** @type {HTMLInputElement} */ (box).checked)), [false, true, true, false]);
  await dialog.getByLabel("depth").uncheck();
  await dialog.getByLabel("mass").check();
  await dialog.locator("#own-scale").selectOption("each");
  await dialog.locator(".primary").click();
  await noticed(page, "penguins.json: 3 particles in 2 dimensions");
  const { rows } = await saved(page, "particles");
  for (const axis of [0, 1]) {
    const column = rows.map((row) => row[axis]);
    assert.ok(Math.abs(column.reduce((sum, v) => sum + v, 0)) < 1e-5 && Math.abs(column.reduce((sum, v) => sum + v * v, 0) / 3 - 1) < 1e-5, `${column}`);
  }
  // A column of words is refused with its line, a broken JSON text too.
  await page.locator("#bring").click();
  await dialog.locator("#own-text").fill("name,a\nq,1\nr,2\n");
  await dialog.locator("tbody tr").nth(1).waitFor();
  await dialog.getByLabel("name").check();
  await dialog.locator(".primary").click();
  await dialog.locator(".problem", { hasText: "line 2, cell 1" }).waitFor();
  await dialog.locator("#own-text").fill("[[1,2],\n[3,oops]]");
  // The table of the text before goes.
  await dialog.locator("tbody tr").first().waitFor({ state: "detached" });
  await dialog.locator(".problem", { hasText: "line 2" }).waitFor();
  await dialog.locator("#own-text").fill("[[1,2],\n[3,\"oops\"]]");
  await dialog.locator("tbody tr").nth(1).waitFor();
  await dialog.getByLabel("x1").check();
  await dialog.locator(".primary").click();
  await dialog.locator(".problem", { hasText: "item 2" }).waitFor();
  await page.keyboard.press("Escape");
  // Pasted text needs no dialog.
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "5,6\n7,8\n9,1\n2,2\n");
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await noticed(page, "pasted text: 4 particles");
  clean(faults);
  await close();
});

test("trained weights come back from a file, and a file for another network is refused", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=ot-flow&hidden=4&batch=16&n=16");
  const dialog = page.locator("#own");
  const file = (/** @type {number} */ count) => JSON.stringify({ panes: [{ weights: { theta: Array(count).fill(0.1) } }] });
  await dropFile(page, "small.json", file(2));
  await dialog.getByText("Use its trained weights").click();
  await dialog.locator(".problem", { hasText: "theta has 2 numbers, but the network of this run has 53" }).waitFor();
  await page.keyboard.press("Escape");
  await dropFile(page, "weights.json", file(53));
  await dialog.getByText("Use its trained weights").click();
  await noticed(page, "weights.json: 53 trained weights are in use");
  clean(faults);
  await close();
});

/**
 * Fingers on the screen, as the browser's own input pipeline sees them.
 * @param {import("playwright-core").Page} page
 */
async function fingers(page) {
  const client = await page.context().newCDPSession(page);
  /** @param {"touchStart" | "touchMove" | "touchEnd"} type @param {[number, number][]} points */
  const send = (type, points) => client.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x: Math.round(x), y: Math.round(y), id })) });
  return {
    /** Puts fingers down, moves them along the ways, and lifts them. @param {...[number, number, number, number]} ways from x, y to x, y */
    async along(...ways) {
      await send("touchStart", ways.map(([x, y]) => [x, y]));
      for (let i = 1; i <= 8; i++) await send("touchMove", ways.map(([x0, y0, x1, y1]) => [x0 + ((x1 - x0) * i) / 8, y0 + ((y1 - y0) * i) / 8]));
      await send("touchEnd", []);
      // The address follows at its own pace.
      await page.waitForTimeout(800);
    },
  };
}

test("fingers: a tap puts the cloud there, a drag sets its width, a pinch zooms, two fingers pan, the pencil draws", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=svgd&target=banana&n=64", { hasTouch: true, isMobile: true, viewport: { width: 800, height: 900 } });
  const { x, y } = await middle(page);
  const finger = await fingers(page);
  const value = async (/** @type {string} */ key) => new URLSearchParams(await hash(page)).get(key)?.split(",").map(Number) ?? [];
  await finger.along([x + 60, y - 40, x + 60, y - 40]);
  await hashHas(page, "init_mean=");
  const [cx, cy] = await value("init_mean");
  assert.ok(cx > 0.2 && cy > 1, `tapped at ${cx}, ${cy}`);
  await finger.along([x - 40, y, x + 50, y]);
  await hashHas(page, "init_scale=");
  assert.ok((await value("init_scale"))[0] > 1);
  const still = await hash(page);
  assert.doesNotMatch(still, /view=/);

  await finger.along([x - 30, y, x - 120, y], [x + 30, y, x + 120, y]);
  await hashHas(page, "view=");
  const near = await value("view");
  const width = near[2] - near[0];
  assert.ok(width > 0 && width < 8, `a pinch outwards shows less: ${near}`);
  await finger.along([x - 60, y, x + 20, y], [x + 60, y, x + 140, y]);
  await page.waitForFunction((before) => new URLSearchParams(location.hash.slice(1)).get("view") !== before, near.join(","));
  const moved = await value("view");
  assert.ok(moved[0] < near[0] - 0.2 && Math.abs(moved[2] - moved[0] - width) < 0.05 * width, `two fingers to the right show what lies left: ${near}, ${moved}`);
  await finger.along([x - 120, y, x - 30, y], [x + 120, y, x + 30, y]);
  await page.waitForFunction((before) => {
    const [x0, , x1] = (new URLSearchParams(location.hash.slice(1)).get("view") ?? "0,0,0,0").split(",").map(Number);
    return x1 - x0 > 1.5 * before;
  }, width);

  // Up and down too: with the pencil a finger draws and does not scroll.
  await page.locator("#draw").tap();
  await finger.along([x, y - 80, x, y + 80]);
  await hashHas(page, "data=");
  await stageHas(page, "step", "0");
  const { rows } = await saved(page, "particles");
  assert.ok(rows.length >= 8 && Math.max(...rows.map(([, b]) => b)) - Math.min(...rows.map(([, b]) => b)) > 1, `${rows.length} points drawn`);
  clean(faults);
  await close();
});

test("a system that takes no points hides the ways to bring them, and says so when a file comes all the same", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=two-layer");
  for (const control of ["#draw", "label.file", "#bring"]) assert.equal(await page.locator(control).isVisible(), false, control);
  await dropFile(page, "mine.csv", "1,2\n3,4\n");
  await page.locator(".notice.error", { hasText: "takes no points" }).waitFor();
  await stageHas(page, "step", "0");
  await page.evaluate(() => (location.hash = "v=1&m=ula"));
  await page.locator("#draw").waitFor();
  assert.match(await page.locator("#settings").innerText(), /Your own initial particles/i);
  clean(faults);
  await close();
});

test("to a system that learns from samples, own points are samples: dropped, drawn, and in the link", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=cnf&n=64&batch=32&width=8&method=rk4&nt=2");
  assert.match(await page.locator("#settings").innerText(), /Your own samples to learn from/i);
  await dropFile(page, "three.csv", "a,b\n0,0\n1,0\n2,2\n");
  await noticed(page, "three.csv: 3 samples in 2 dimensions");
  await hashHas(page, "source=file");
  assert.equal(await page.locator("#p-n").inputValue(), "64", "they are not the particles");
  await page.locator("#draw").click();
  await noticed(page, "Draw samples to learn from");
  const { x, y } = await middle(page);
  await page.mouse.move(x - 80, y);
  await page.mouse.down();
  for (let i = 0; i <= 16; i++) await page.mouse.move(x - 80 + 10 * i, y - 3 * i);
  await page.mouse.up();
  await hashHas(page, "data=");
  await page.locator("#draw").click();
  const link = await hash(page);
  await page.goto("about:blank");
  await page.goto(`${origin()}/?autoplay=0#${link}`);
  await stageHas(page, "step", "0");
  assert.equal(await hash(page), link);
  assert.equal(await page.locator(".notice").count(), 0);
  await page.locator("#step").click();
  await stageHas(page, "step", "1");
  clean(faults);
  await close();
});

test("limits of own data: bytes, rows, columns, and points in a link", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=svgd&n=16");
  const refuses = async (/** @type {string} */ name, /** @type {string} */ text, /** @type {RegExp} */ why) => {
    await dropFile(page, name, text);
    const notice = page.locator(".notice.error", { hasText: name });
    await notice.waitFor();
    assert.match(await notice.innerText(), why);
  };
  await refuses("rows.csv", "1,2\n".repeat(1_000_001), /row|line|particles|n:/i);
  await refuses("wide.csv", `${Array.from({ length: 300 }, (_, i) => i).join(",")}\n`, /column/i);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(64_000_001)], "huge.csv", { type: "text/csv" }));
    document.getElementById("stage")?.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await noticed(page, "huge.csv: larger than 64 MB");
  await stageHas(page, "step", "0");
  clean(faults);
  await close();
});

test("the file button reads a CSV too", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await page.locator("#file").setInputFiles({ name: "points.csv", mimeType: "text/csv", buffer: Buffer.from("0,1\n2,3\n") });
  await noticed(page, "points.csv: 2 particles");
  clean(faults);
  await close();
});

test("a drag places the initial cloud: its start is the centre, its length the width", async () => {
  const { page, faults, close } = await open("?autoplay=0#v=1&m=svgd&target=banana");
  const { x, y } = await middle(page);
  await page.mouse.move(x + 80, y - 60);
  await page.mouse.down();
  await page.mouse.move(x + 100, y - 60, { steps: 4 });
  await page.mouse.move(x + 110, y - 60);
  await page.mouse.up();
  await hashHas(page, "init_mean=");
  await hashHas(page, "init_scale=");
  const link = await hash(page);
  const [cx, cy] = (/init_mean=([-\d.e]+),([-\d.e]+)/.exec(link) ?? []).slice(1).map(Number);
  assert.ok(cx > 0 && cy > -2, link);
  const { rows } = await saved(page, "particles");
  const mean = [0, 1].map((i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
  assert.ok(Math.hypot(mean[0] - cx, mean[1] - cy) < 0.2, `${mean} is not near ${cx}, ${cy}`);
  await page.mouse.click(x - 90, y);
  await page.waitForFunction((before) => location.hash.slice(1) !== before, link);
  const again = await hash(page);
  assert.equal(/init_scale=[^&]*/.exec(again)?.[0], /init_scale=[^&]*/.exec(link)?.[0]);
  clean(faults);
  await close();
});

test("drawn points become the initial particles and travel in the link", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  const { x, y } = await middle(page);
  await page.locator("#draw").click();
  await page.mouse.move(x - 100, y);
  await page.mouse.down();
  await page.mouse.move(x + 100, y, { steps: 30 });
  await page.mouse.up();
  await hashHas(page, "data=");
  await page.locator("#draw").click();
  const drawn = (await saved(page, "particles")).rows;
  assert.ok(drawn.length >= 10, `${drawn.length} points`);
  const heights = drawn.map((row) => row[1]);
  assert.ok(Math.max(...heights) - Math.min(...heights) < 0.3, "a horizontal stroke is level");
  await page.reload();
  await page.locator('#app[data-boot="ready"]').waitFor();
  assert.equal((await saved(page, "particles")).rows.length, drawn.length);
  clean(faults);
  await close();
});

test("wheel and buttons zoom, shift-drag pans, fit goes back", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  const { x, y } = await middle(page);
  const start = /init_mean=[^&]*/.exec(await hash(page));
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -200);
  await hashHas(page, "view=");
  const zoomed = await hash(page);
  await page.keyboard.down("Shift");
  await page.mouse.down();
  await page.mouse.move(x + 60, y + 10, { steps: 3 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await page.waitForFunction((before) => location.hash.slice(1) !== before, zoomed);
  assert.equal(/init_mean=[^&]*/.exec(await hash(page))?.[0], start?.[0]);
  await page.locator("#fit").click();
  await page.waitForFunction(() => !location.hash.includes("view="));
  await page.mouse.move(x + 10, y + 10);
  await page.waitForFunction(() => document.getElementById("cursor")?.textContent?.startsWith("("));
  clean(faults);
  await close();
});

test("a log-density typed as a formula runs; a bad one says why and keeps the run", async () => {
  const { page, faults, close } = await open("?autoplay=0");
  await enter(page, "target", "formula");
  await page.locator("#p-formula").waitFor();
  await enter(page, "formula", "-(x-2)^2/2 - (y+1)^2/2");
  await hashHas(page, "formula=");
  await page.locator("#speed").selectOption({ label: "fastest" });
  await page.locator("#play").click();
  await reached(page, 400);
  await page.locator("#play").click();
  await stageHas(page, "playing", "false");
  const { rows } = await saved(page, "particles");
  const mean = [0, 1].map((i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
  assert.ok(Math.hypot(mean[0] - 2, mean[1] + 1) < 0.3, `mean ${mean}`);
  const good = await hash(page);
  await enter(page, "formula", "-(x^2 + ");
  await page.locator("#p-formula-problem:not(:empty)").waitFor();
  assert.equal(await page.locator("#p-formula").getAttribute("aria-invalid"), "true");
  assert.equal(await hash(page), good);
  clean(faults);
  await close();
});
