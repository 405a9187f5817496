// Predict first: curves and values stay covered until the reader uncovers them, one by one.
// @ts-check
import { byId, h } from "./dom.js";

/** @param {Element} card */
function cover(card) {
  if (card.querySelector(".cover")) return;
  const name = card.querySelector("h2")?.textContent ?? "";
  const button = h("button", { type: "button", class: "cover", "aria-label": `Predict, then reveal: ${name}` }, "Predict, then reveal");
  button.addEventListener("click", () => {
    card.classList.add("revealed");
    button.remove();
  });
  card.append(button);
}

/** Covers the metrics' cards, those that come later too. */
export function predict() {
  const charts = byId("charts");
  byId("app").dataset.predict = "true";
  const coverAll = () => {
    for (const card of charts.children) if (!card.classList.contains("revealed")) cover(card);
  };
  new MutationObserver(coverAll).observe(charts, { childList: true });
  coverAll();
}
