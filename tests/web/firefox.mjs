// Starts Firefox for tests, through its own protocol. WebGPU is off in a release's Linux build; two preferences bring it.
// @ts-check
import { launch } from "puppeteer-core";

const QUIET = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
};
const WEBGPU = { "dom.webgpu.enabled": true, "gfx.webgpu.ignore-blocklist": true };

/** @param {"with" | "without"} webgpu */
export const launchFirefox = (webgpu) =>
  launch({
    browser: "firefox",
    protocol: "webDriverBiDi",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: webgpu === "with" ? { ...QUIET, ...WEBGPU } : QUIET,
  });
