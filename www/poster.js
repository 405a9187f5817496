// A poster in the place of the program: nothing is downloaded or computed until the reader asks for it.
// @ts-check
import { byId, h } from "./dom.js";

/** @param {() => void} start */
export function poster(start) {
  const curtain = byId("curtain");
  const words = curtain.textContent ?? "";
  const mark = document.querySelector(".brand svg")?.cloneNode(true) ?? "";
  const button = h("button", { type: "button", class: "primary", id: "poster" }, "▶ Run this demo");
  button.addEventListener("click", () => {
    curtain.textContent = words;
    start();
  });
  byId("question").textContent = "A demo that waits";
  curtain.replaceChildren(h("span", { class: "poster brand" }, mark, button));
}
