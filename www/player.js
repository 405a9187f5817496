// Plays a draw list (one flat stream of numbers, written by Rust) on a 2-D canvas.
// @ts-check

/** @typedef {{ ops: Float32Array, text: string[] }} DrawList */
/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context */

export const FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif";
export const DASHES = [[], [6, 4], [1.5, 3]];
export const ALIGN = /** @type {CanvasTextAlign[]} */ (["left", "center", "right"]);
export const BASELINE = /** @type {CanvasTextBaseline[]} */ (["alphabetic", "middle", "top"]);

/**
 * @param {number} shape 1 square, 2 triangle, 3 diamond
 * @param {number} r half its size
 */
export const corners = (shape, r) => [
  [[-r, -r], [r, -r], [r, r], [-r, r]],
  [[0, -r], [r, r], [-r, r]],
  [[0, -r], [r, 0], [0, r], [-r, 0]],
][shape - 1] ?? [];

/**
 * @param {Context} ctx
 * @param {number} shape 0 disc, or one with corners
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
function marker(ctx, shape, x, y, size) {
  const r = size / 2;
  if (shape === 0) {
    ctx.moveTo(x + r, y);
    ctx.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  corners(shape, r).forEach(([dx, dy], i) => (i ? ctx.lineTo(x + dx, y + dy) : ctx.moveTo(x + dx, y + dy)));
  ctx.closePath();
}

/**
 * @param {Context} ctx
 * @param {DrawList} list
 * @param {string[]} colours CSS colours in the order of the roles
 * @param {number} ratio device pixels a CSS pixel
 */
export function play(ctx, { ops, text }, colours, ratio) {
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.lineJoin = "round";
  ctx.lineCap = "butt";
  ctx.beginPath();
  for (let i = 0; i < ops.length; ) {
    switch (ops[i]) {
      case 0: {
        const end = i + 2 + 2 * ops[i + 1];
        for (let p = i + 2; p < end; p += 2) {
          if (p === i + 2) ctx.moveTo(ops[p], ops[p + 1]);
          else ctx.lineTo(ops[p], ops[p + 1]);
        }
        i = end;
        break;
      }
      case 1:
        ctx.strokeStyle = colours[ops[i + 1]];
        ctx.lineWidth = ops[i + 2];
        ctx.setLineDash(DASHES[ops[i + 3]] ?? []);
        ctx.globalAlpha = ops[i + 4];
        ctx.stroke();
        ctx.beginPath();
        i += 5;
        break;
      case 2:
        ctx.fillStyle = colours[ops[i + 1]];
        ctx.globalAlpha = ops[i + 2];
        ctx.fill();
        ctx.beginPath();
        i += 3;
        break;
      case 3:
        ctx.save();
        ctx.globalAlpha = 1;
        ctx.font = `${ops[i + 4]}px ${FONT}`;
        ctx.fillStyle = colours[ops[i + 5]];
        ctx.textAlign = ALIGN[ops[i + 6]] ?? "left";
        ctx.textBaseline = BASELINE[ops[i + 7]] ?? "alphabetic";
        ctx.translate(ops[i + 2], ops[i + 3]);
        ctx.rotate(ops[i + 8]);
        ctx.fillText(text[ops[i + 1]] ?? "", 0, 0);
        ctx.restore();
        i += 9;
        break;
      case 4:
        ctx.moveTo(ops[i + 1] + ops[i + 3], ops[i + 2]);
        ctx.arc(ops[i + 1], ops[i + 2], ops[i + 3], 0, 2 * Math.PI);
        i += 4;
        break;
      case 5:
        ctx.save();
        ctx.beginPath();
        ctx.rect(ops[i + 1], ops[i + 2], ops[i + 3], ops[i + 4]);
        ctx.clip();
        ctx.beginPath();
        i += 5;
        break;
      case 6:
        ctx.restore();
        ctx.beginPath();
        i += 1;
        break;
      case 7:
        marker(ctx, ops[i + 1], ops[i + 2], ops[i + 3], ops[i + 4]);
        i += 5;
        break;
      default:
        throw new Error(`draw list: unknown operation ${ops[i]} at ${i}`);
    }
  }
  ctx.globalAlpha = 1;
}

/**
 * Clears a canvas and plays a list on it.
 * @param {Context} ctx
 * @param {DrawList} list
 * @param {string[]} colours
 * @param {number} ratio
 */
export function redraw(ctx, list, colours, ratio) {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  play(ctx, list, colours, ratio);
}
