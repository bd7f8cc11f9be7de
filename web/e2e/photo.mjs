/** Real PNG pictures, made here: a small one for tests, and a river bank with a staff gauge for screenshots. */
import { crc32, deflateSync } from "node:zlib";

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "ascii"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A picture whose colour at each pixel `colourAt(x, y)` says, as [red, green, blue]. */
function png(width, height, colourAt) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    const row = [0];
    for (let x = 0; x < width; x += 1) row.push(...colourAt(x, y));
    rows.push(Buffer.from(row));
  }
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const pixels = deflateSync(Buffer.concat(rows));
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/** Eight by eight pixels of the river's colour. */
export function photo() {
  return png(8, 8, () => [0x5b, 0x5b, 0x5b]);
}

/** Sky, far bank, water with waves, and a staff gauge standing in it. */
export function riverPhoto() {
  return png(240, 180, (x, y) => {
    if (x > 150 && x < 166 && y > 30 && y < 135)
      return Math.floor(y / 7) % 2 ? [235, 235, 230] : [190, 40, 35];
    if (y < 62) return [176 - y, 200 - y / 2, 222 - y / 4].map(Math.round);
    if (y < 78) return [84, 112 - (x % 9), 66];
    const wave = Math.round(9 * Math.sin(x / 9 + y / 3) + 5 * Math.sin(y / 2 - x / 17));
    return [104 + wave, 106 + wave, 84 + wave];
  });
}
