// Draws the PNG icons under public/ from the shapes of icon.svg; phones take no SVG for home screens and notifications.
// `node icons.mjs` writes them anew; the build only copies them.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const GREEN = [0x0b, 0x5d, 0x3b];
const WHITE = [0xff, 0xff, 0xff];
/** Looks a pixel, in each direction. */
const FINE = 4;

/** Distance from a point to a stretch. */
function distance(x, y, [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy)));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

/** The outline of the eye: four curves of the drawing, as points. */
const CURVES = [[[13, 42], [18, 35], [25, 31], [32, 31]], [[32, 31], [39, 31], [46, 35], [51, 42]], [[51, 42], [46, 49], [39, 53], [32, 53]], [[32, 53], [25, 53], [18, 49], [13, 42]]];
const EYE = CURVES.flatMap(([a, b, c, d]) => Array.from({ length: 16 }, (_, i) => {
  const [t, u] = [i / 16, 1 - i / 16];
  return [0, 1].map((k) => u ** 3 * a[k] + 3 * u * u * t * b[k] + 3 * u * t * t * c[k] + t ** 3 * d[k]);
}));

function inside(x, y) {
  let odd = false;
  for (let i = 0, j = EYE.length - 1; i < EYE.length; j = i, i += 1) {
    const [[x1, y1], [x2, y2]] = [EYE[i], EYE[j]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
  }
  return odd;
}

/** Whether a point of the 64 × 64 drawing is white: the roof, or the eye without its pupil. */
function white(x, y) {
  const roof = Math.min(distance(x, y, [10, 30], [32, 12]), distance(x, y, [32, 12], [54, 30])) <= 2.5;
  return roof || (inside(x, y) && Math.hypot(x - 32, y - 42) > 7);
}

function rounded(x, y) {
  const [dx, dy] = [Math.max(14 - x, x - 50, 0), Math.max(14 - y, y - 50, 0)];
  return x >= 0 && x <= 64 && y >= 0 && y <= 64 && Math.hypot(dx, dy) <= 14;
}

/** `ground`: what lies behind the white shapes at a point. `scale`: how large they are of the whole. */
function draw(size, ground, scale = 1) {
  const rows = Buffer.alloc(size * (1 + size * 4));
  for (let py = 0; py < size; py += 1) {
    for (let px = 0; px < size; px += 1) {
      const sum = [0, 0, 0, 0];
      for (let k = 0; k < FINE * FINE; k += 1) {
        const [u, v] = [((px + ((k % FINE) + 0.5) / FINE) * 64) / size, ((py + (Math.floor(k / FINE) + 0.5) / FINE) * 64) / size];
        const colour = white((u - 32) / scale + 32, (v - 32) / scale + 32) ? WHITE : ground(u, v) ? GREEN : null;
        if (colour) [...colour, 255].forEach((part, i) => { sum[i] += i < 3 ? part : 255; });
      }
      const looks = sum[3] / 255;
      const at = py * (1 + size * 4) + 1 + px * 4;
      for (let i = 0; i < 3; i += 1) rows[at + i] = looks ? Math.round(sum[i] / looks) : 0;
      rows[at + 3] = Math.round((looks * 255) / (FINE * FINE));
    }
  }
  return png(size, rows);
}

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name), data]);
  const crc = body.reduce((c, byte) => TABLE[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff;
  const [length, end] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  end.writeUInt32BE(crc >>> 0);
  return Buffer.concat([length, body, end]);
}

function png(size, rows) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

const write = (name, bytes) => writeFileSync(path.join(here, 'public', name), bytes);
write('icon-192.png', draw(192, rounded));
write('icon-512.png', draw(512, rounded));
// Whole squares: the phone cuts its own shape out of them, and may cut a fifth away.
write('icon-maskable-512.png', draw(512, () => true, 0.8));
write('icon-apple-180.png', draw(180, () => true, 0.9));
// Android draws its status bar from the alpha alone.
write('badge-96.png', draw(96, () => false));
