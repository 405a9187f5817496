// A dialog that is made when it is first opened, with the same head as those of the page.
// @ts-check
import { h } from "./dom.js";

/**
 * @param {string} id
 * @param {string} title
 * @param {...Node} content
 */
export function dialog(id, title, ...content) {
  document.getElementById(id)?.remove();
  const element = h("dialog", { id, "aria-labelledby": `${id}-title` },
    h("form", { method: "dialog" }, h("h2", { id: `${id}-title` }, title), h("button", { class: "quiet icon", "aria-label": "Close" }, "✕")),
    ...content);
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
  return element;
}

/**
 * @param {Blob | string} content
 * @param {string} name of the file
 * @param {string} [type] of a text
 */
export function download(content, name, type = "text/plain") {
  const url = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * A row of tabs and the panel that they change. `fill` makes the panel's content anew whenever its tab is chosen.
 * @param {string} id
 * @param {{ id: string, title: string, fill: () => Node[] }[]} tabs
 */
export function tabbed(id, tabs) {
  const panel = h("div", { role: "tabpanel", id: `${id}-panel`, tabindex: "0" });
  let chosen = 0;
  const show = () => panel.replaceChildren(...tabs[chosen].fill());
  const select = (/** @type {number} */ index, focus = false) => {
    chosen = index;
    buttons.forEach((button, i) => {
      button.setAttribute("aria-selected", String(i === index));
      button.tabIndex = i === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", buttons[index].id);
    if (focus) buttons[index].focus();
    show();
  };
  const buttons = tabs.map((tab, i) => h("button", {
    type: "button", role: "tab", id: `${id}-tab-${tab.id}`, "aria-controls": panel.id, onclick: () => select(i),
    onkeydown: (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1, Home: -i, End: tabs.length - 1 - i }[/** @type {string} */ (event.key)];
      if (by === undefined) return;
      event.preventDefault();
      select((i + by + tabs.length) % tabs.length, true);
    },
  }, tab.title));
  select(0);
  return { bar: h("div", { class: "tabs", role: "tablist" }, ...buttons), panel, show };
}
