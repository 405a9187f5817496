// Chooses what computes, a WebGPU device or the CPU, and says why.
// @ts-check
import { open_device } from "./pkg/pushforward.js";

/** @typedef {"auto" | "cpu" | "gpu"} Wish */

/**
 * @param {Wish} wish software devices count only when a device is asked for by name
 * @param {string} lost why a device that ran before is of no use any more, or nothing
 * @param {() => Promise<void>} load gets the part of the program that drives a device
 */
export async function chooseDevice(wish, lost, load) {
  const cpu = (/** @type {string} */ reason) => ({ device: undefined, reason });
  if (lost) return cpu(`The GPU was lost: ${lost}. The run went on here.`);
  if (wish === "cpu") return cpu("The address asks for the CPU.");
  const gpu = /** @type {any} */ (navigator).gpu;
  if (!gpu) return cpu(isSecureContext ? "This browser offers no WebGPU." : "WebGPU needs a secure page (https or localhost).");
  // Asked here first, so that a browser without a device of use does not load what drives one.
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  if (!adapter) return cpu("WebGPU finds no adapter here.");
  const software = "WebGPU has only a software renderer here, which is slower than this.";
  if (wish === "auto" && (adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter)) return cpu(software);
  try {
    await load();
    const device = await open_device();
    if (wish === "gpu") return { device, reason: "The address asks for the GPU." };
    if (!device.is_software()) return { device, reason: "WebGPU has a hardware adapter here." };
    device.free();
    return cpu(software);
  } catch (error) {
    return cpu(`WebGPU gives no device: ${error instanceof Error ? error.message : error}`);
  }
}
