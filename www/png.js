// Texts in a PNG file: what a picture says of itself (PNG specification, section 11.3.3, iTXt).
// @ts-check

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Signature and header: texts go behind them. */
const AFTER_HEADER = 33;

/**
 * @param {string} keyword Latin letters
 * @param {string} text
 */
function chunk(keyword, text) {
  const encoder = new TextEncoder();
  // Keyword, end, no compression, and no language.
  const body = encoder.encode(`iTXt${keyword}\0\0\0\0\0${text}`);
  const out = new Uint8Array(body.length + 8);
  const view = new DataView(out.buffer);
  view.setUint32(0, body.length - 4);
  out.set(body, 4);
  view.setUint32(4 + body.length, crc32(body));
  return out;
}

/**
 * The file with these texts in it.
 * @param {Blob} png
 * @param {Record<string, string>} texts by keyword
 */
export async function withTexts(png, texts) {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const chunks = Object.entries(texts).map(([keyword, text]) => chunk(keyword, text));
  return new Blob([bytes.subarray(0, AFTER_HEADER), ...chunks, bytes.subarray(AFTER_HEADER)], { type: "image/png" });
}
