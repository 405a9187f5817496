// @ts-check
// Every shader that the device tests composed, compiled by Chromium: it refuses what native compilers accept.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { launch, root, serveDist } from "./site.mjs";

const WEBGPU = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-angle=vulkan",
  "--use-vulkan=swiftshader",
];

/** @param {{ label: string, text: string }[]} shaders @returns {Promise<string[]>} */
async function complaints(shaders) {
  const site = await serveDist();
  const browser = await launch(WEBGPU);
  try {
    const page = await browser.newPage();
    await page.goto(`${site.url}/blank`);
    return await page.evaluate(async (shaders) => {
      const gpu = /** @type {any} */ (navigator).gpu;
      const adapter = await gpu?.requestAdapter();
      if (!adapter) return ["no WebGPU adapter in this browser"];
      const device = await adapter.requestDevice();
      const wrong = [];
      for (const { label, text } of shaders) {
        const module = device.createShaderModule({ code: text });
        const { messages } = await module.getCompilationInfo();
        const errors = messages.filter((/** @type {any} */ m) => m.type === "error");
        for (const m of errors) wrong.push(`${label}:${m.lineNum}:${m.linePos}: ${m.message}`);
      }
      return wrong;
    }, shaders);
  } finally {
    await browser.close();
    site.close();
  }
}

test("every composed shader compiles in Chromium", async () => {
  const target = process.env.CARGO_TARGET_DIR ?? path.join(root, "target");
  const shaders = JSON.parse(readFileSync(path.join(target, "tmp/shaders.json"), "utf8"));
  assert.ok(shaders.length > 50, `${shaders.length} shaders; run the native tests first`);
  assert.deepEqual(await complaints(shaders), []);
});

test("a shader that Chromium refuses is noticed", async () => {
  // A barrier that only some threads reach: accepted natively.
  const text = `@group(0) @binding(0) var<storage, read_write> a: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { if (a[i] > 0.0) { workgroupBarrier(); } }`;
  const [message] = await complaints([{ label: "made up", text }]);
  assert.match(message ?? "", /^made up:2:.*uniform/s);
});
