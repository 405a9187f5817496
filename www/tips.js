// One tooltip for every element with `data-tip`, on hover and on keyboard focus; Escape closes it.
// @ts-check
import { byId } from "./dom.js";

export function installTips() {
  const tip = byId("tip");
  /** @type {Element | null} */
  let owner = null;

  const hide = () => {
    tip.hidden = true;
    owner?.removeAttribute("aria-describedby");
    owner = null;
  };
  /** @param {Event} event */
  const show = (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    if (target === owner) return;
    hide();
    const text = target?.getAttribute("data-tip");
    if (!target || !text) return;
    owner = target;
    tip.textContent = text;
    tip.hidden = false;
    target.setAttribute("aria-describedby", "tip");
    const [at, own] = [target.getBoundingClientRect(), tip.getBoundingClientRect()];
    const left = Math.min(innerWidth - own.width - 8, Math.max(8, at.left + at.width / 2 - own.width / 2));
    const above = at.bottom + own.height + 12 > innerHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${Math.max(4, above ? at.top - own.height - 6 : at.bottom + 6)}px`;
  };
  document.addEventListener("pointerover", (event) => event.pointerType !== "touch" && show(event));
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof Element && event.target.matches(":focus-visible")) show(event);
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("pointerdown", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}
