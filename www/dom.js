// Small words for building and finding elements.
// @ts-check

/**
 * The element with this id, checked to be of the expected class.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!element || (kind && !(element instanceof kind))) throw new Error(`the page lacks #${id}`);
  return /** @type {T} */ (element);
}

/**
 * Builds an element: attributes by name (false and null are left out), `on…` functions as listeners.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children);
  return element;
}

/**
 * At most one call in `ms`, the latest arguments win, the last call is never lost.
 * @template {any[]} A
 * @param {number} ms
 * @param {(...args: A) => void} run
 */
export function throttle(ms, run) {
  let last = -Infinity;
  /** @type {A | null} */
  let pending = null;
  return (/** @type {A} */ ...args) => {
    const waiting = pending !== null;
    pending = args;
    if (waiting) return;
    const go = () => {
      const latest = /** @type {A} */ (pending);
      pending = null;
      last = performance.now();
      run(...latest);
    };
    const wait = last + ms - performance.now();
    if (wait <= 0) go();
    else setTimeout(go, wait);
  };
}

/** @param {string} key */
export function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * Remembers a choice where the browser lets pages do so.
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A page with an opaque origin has no storage; the choice then lasts as long as the page.
  }
}
