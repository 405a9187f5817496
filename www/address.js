// The address bar follows the configuration, at most five times a second, and a hash typed there is opened.
// @ts-check
import { throttle } from "./dom.js";

/** @param {(link: string) => void} opened */
export function installAddress(opened) {
  let seen = location.hash;
  const write = throttle(200, (/** @type {string} */ link) => {
    // A hash that differs from the last one seen was just typed: its `hashchange` is on its way.
    if (location.hash !== seen || `#${link}` === seen) return;
    try {
      history.replaceState(null, "", `#${link}`);
    } catch {
      // Pages without an origin, and browsers that count the changes, may refuse. The run does not depend on it.
    }
    seen = location.hash;
  });
  addEventListener("hashchange", () => {
    if (location.hash === seen) return;
    seen = location.hash;
    opened(seen.slice(1));
  });
  return write;
}

/**
 * The address that opens `link` on this page.
 * @param {string} link
 */
export const addressOf = (link) => `${location.href.split("#")[0]}#${link}`;
