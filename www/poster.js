// A poster in the place of the program: nothing is downloaded or computed until the reader asks for it.
// @ts-check
import { byId, h } from "./dom.js";

/** @param {() => void} start */
export function poster(start) {
  const curtain = byId("curtain");
  const words = curtain.textContent ?? "";
  const button = h("button", { type: "button", class: "primary poster", id: "poster" }, "▶ Run this demo");
  button.addEventListener("click", () => {
    curtain.textContent = words;
    start();
  });
  byId("question").textContent = "A demo that waits";
  curtain.replaceChildren(button);
}
