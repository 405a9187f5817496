// Draw lists as SVG: the twin of player.js, operation by operation.
// @ts-check
import { ALIGN, BASELINE, DASHES, FONT, corners } from "./player.js";

/** @typedef {{ ops: ArrayLike<number>, text: string[] }} List */

/** @param {string} text */
export const escaped = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] ?? c)
  .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");

/** @param {number} value */
const short = (value) => String(Math.round(value * 100) / 100);

/** @type {Record<string, string>} */
const ANCHOR = { left: "start", center: "middle", right: "end" };
/** Share of the size that the letters stand lower than the anchor. @type {Record<string, number>} */
const DROP = { alphabetic: 0, middle: 0.35, top: 0.78 };

/**
 * The elements of a draw list. Discs that are filled together stay circles of their own, so that they can be told apart.
 * @param {List} list
 * @param {string[]} colours in the order of the roles
 * @param {string} id unlike that of any other list in the same file
 */
export function svgOf({ ops, text }, colours, id) {
  let out = "";
  let path = "";
  /** @type {string[]} */
  let discs = [];
  let clips = 0;
  let open = 0;
  const circle = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ r) =>
    void discs.push(`<circle cx="${short(x)}" cy="${short(y)}" r="${short(r)}"/>`);
  const flush = (/** @type {string} */ style) => {
    if (path) out += `<path ${style} d="${path}"/>\n`;
    if (discs.length) out += `<g ${style}>${discs.join("")}</g>\n`;
    path = "";
    discs = [];
  };
  for (let i = 0; i < ops.length; ) {
    switch (ops[i]) {
      case 0: {
        const end = i + 2 + 2 * ops[i + 1];
        for (let p = i + 2; p < end; p += 2) path += `${p === i + 2 ? "M" : "L"}${short(ops[p])} ${short(ops[p + 1])}`;
        i = end;
        break;
      }
      case 1: {
        const dash = DASHES[ops[i + 3]] ?? [];
        flush(`fill="none" stroke="${colours[ops[i + 1]]}" stroke-width="${short(ops[i + 2])}" stroke-linejoin="round"${dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ""} opacity="${short(ops[i + 4])}"`);
        i += 5;
        break;
      }
      case 2:
        flush(`fill="${colours[ops[i + 1]]}" fill-opacity="${short(ops[i + 2])}"`);
        i += 3;
        break;
      case 3: {
        const [, string, x, y, size, role, align, baseline, angle] = Array.from({ length: 9 }, (_, j) => ops[i + j]);
        const turn = angle ? ` rotate(${short((angle * 180) / Math.PI)})` : "";
        out += `<text transform="translate(${short(x)} ${short(y)})${turn}" y="${short(size * DROP[BASELINE[baseline] ?? "alphabetic"])}" font-size="${short(size)}" fill="${colours[role]}" text-anchor="${ANCHOR[ALIGN[align] ?? "left"]}">${escaped(text[string] ?? "")}</text>\n`;
        i += 9;
        break;
      }
      case 4:
        circle(ops[i + 1], ops[i + 2], ops[i + 3]);
        i += 4;
        break;
      case 5:
        clips += 1;
        open += 1;
        out += `<clipPath id="${id}-${clips}"><rect x="${short(ops[i + 1])}" y="${short(ops[i + 2])}" width="${short(ops[i + 3])}" height="${short(ops[i + 4])}"/></clipPath><g clip-path="url(#${id}-${clips})">\n`;
        i += 5;
        break;
      case 6:
        if (open > 0) out += "</g>\n";
        open = Math.max(0, open - 1);
        i += 1;
        break;
      case 7: {
        const [shape, x, y, size] = [ops[i + 1], ops[i + 2], ops[i + 3], ops[i + 4]];
        if (shape === 0) circle(x, y, size / 2);
        else path += corners(shape, size / 2).map(([dx, dy], j) => `${j ? "L" : "M"}${short(x + dx)} ${short(y + dy)}`).join("") + "Z";
        i += 5;
        break;
      }
      default:
        throw new Error(`draw list: unknown operation ${ops[i]} at ${i}`);
    }
  }
  return out + "</g>\n".repeat(open);
}

/**
 * A whole file.
 * @param {number} width
 * @param {number} height
 * @param {string} title
 * @param {string} about what the file says of itself, as JSON
 * @param {string} body
 */
export const svgFile = (width, height, title, about, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${short(width)}" height="${short(height)}" viewBox="0 0 ${short(width)} ${short(height)}" font-family="${escaped(FONT.replaceAll("'", ""))}" font-variant-numeric="tabular-nums">
<title>${escaped(title)}</title>
<metadata>${escaped(about)}</metadata>
${body}</svg>
`;
