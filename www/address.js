// The address bar follows the configuration, at most five times a second, and a hash typed there is opened.
// @ts-check
import { throttle } from "./dom.js";

/** @param {(link: string) => void} opened */
export function installAddress(opened) {
  let written = location.hash.slice(1);
  const write = throttle(200, (/** @type {string} */ link) => {
    if (link === written) return;
    written = link;
    try {
      history.replaceState(null, "", `#${link}`);
    } catch {
      // Pages without an origin, and browsers that count the changes, may refuse. The run does not depend on it.
    }
  });
  addEventListener("hashchange", () => {
    const link = location.hash.slice(1);
    if (link === written) return;
    written = link;
    opened(link);
  });
  return write;
}

/**
 * The address that opens `link` on this page.
 * @param {string} link
 */
export const addressOf = (link) => `${location.href.split("#")[0]}#${link}`;
