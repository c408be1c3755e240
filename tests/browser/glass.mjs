// From the camera to the glass: node glass.mjs URL NAME PASSWORD SECONDS, at a village of stamped cameras c0, c1, … (`matthon-bench glass`).
// Live: each picture's stamp says when the camera sent it; the browser says when it shows it. After a tap, and while the past is scrubbed:
// from the event to the picture. Each row: pictures or tries, and quantiles in milliseconds.
import { launch, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { advance } from './watch.mjs';

const [url, name, password, seconds] = process.argv.slice(2);
const LIMIT = 60_000;
const TAPS = 12;
const MOVES = 40;
/** Without another picture for so long, the last one was the one that was pointed at. */
const QUIET = 500;

/** In the page, before its own scripts: when each picture was sent, and when it is shown. */
function spy() {
  const UUID = [0xa7, 0xd1, 0xf0, 0xc3, 0x5b, 0x9e, 0x4e, 0x42, 0xb1, 0xc6, 0x6e, 0x76, 0x72, 0x2d, 0x6c, 0x61];
  const find = (bytes, what, limit) => {
    outer: for (let i = 0; i + what.length <= Math.min(bytes.length, limit); i += 1) {
      for (let j = 0; j < what.length; j += 1) if (bytes[i + j] !== what[j]) continue outer;
      return i;
    }
    return -1;
  };
  const word = (text) => [...text].map((c) => c.charCodeAt(0));
  const sources = new Map();
  const shown = [];
  window.glass = { shown, taps: [], moves: [] };
  // A fragment's own time is 90 kHz and its picture is shown in the order it is decoded.
  const append = SourceBuffer.prototype.appendBuffer;
  SourceBuffer.prototype.appendBuffer = function appendBuffer(data) {
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const [at, box] = [find(bytes, UUID, 1024), find(bytes, word('tfdt'), 256)];
    if (at > 0 && box > 0) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const time = view.getUint8(box + 4) === 1 ? Number(view.getBigUint64(box + 8)) : view.getUint32(box + 8);
      const hex = String.fromCharCode(...bytes.subarray(at + 18, at + 34));
      const list = sources.get(this.glassOf) ?? [];
      list.push({ media: time / 90_000 + this.timestampOffset, sent: Number(BigInt(`0x${hex}`) / 1000n) / 1000, came: Date.now() });
      if (list.length > 400) list.shift();
      sources.set(this.glassOf, list);
    }
    return append.call(this, data);
  };
  const add = MediaSource.prototype.addSourceBuffer;
  MediaSource.prototype.addSourceBuffer = function addSourceBuffer(mime) {
    const buffer = add.call(this, mime);
    buffer.glassOf = this.glassOf;
    return buffer;
  };
  const create = URL.createObjectURL;
  URL.createObjectURL = (object) => {
    const made = create.call(URL, object);
    if (object instanceof MediaSource) object.glassOf = made;
    return made;
  };
  const epoch = Date.now() - performance.now();
  const watched = new WeakSet();
  const watch = (video) => {
    const frame = (now, { mediaTime, expectedDisplayTime, width }) => {
      const at = Math.max(now, expectedDisplayTime);
      const stamp = (sources.get(video.currentSrc) ?? []).find((one) => Math.abs(one.media - mediaTime) < 0.02);
      shown.push({ at, width, mediaTime, wanted: video.currentTime, age: stamp ? at + epoch - stamp.sent : null, came: stamp ? stamp.came - stamp.sent : null });
      if (shown.length > 5000) shown.shift();
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  new MutationObserver(() => {
    for (const video of document.querySelectorAll('video')) {
      if (watched.has(video)) continue;
      watched.add(video);
      watch(video);
    }
  }).observe(document, { childList: true, subtree: true });
  window.addEventListener('click', () => window.glass.taps.push(performance.now()), true);
  window.addEventListener('pointermove', () => window.glass.moves.push(performance.now()), true);
}

function row(what, ms) {
  if (ms.length === 0) throw new Error(`${what}: nothing was shown`);
  ms.sort((a, b) => a - b);
  const at = (q) => ms[Math.min(ms.length - 1, Math.floor(ms.length * q))].toFixed(0);
  console.log(`| ${what} | ${ms.length} | ${at(0)} | ${at(0.5)} | ${at(0.95)} | ${at(0.99)} | ${at(1)} |`);
}

const glass = (page) => page.evaluate(() => window.glass);
const forget = (page) => page.evaluate(() => {
  for (const list of [window.glass.shown, window.glass.taps, window.glass.moves]) list.length = 0;
});
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Live pictures of whatever is on the page, for some time once they run. */
async function live(page, what, where) {
  await page.goto(url + where);
  await advance(page, 0, 4, LIMIT);
  await pause(5000);
  await forget(page);
  await pause(seconds * 1000);
  const shown = (await glass(page)).shown.filter((one) => one.age !== null);
  row(`${what}: sent → shown`, shown.map((one) => one.age));
  row(`${what}: sent → in the page`, shown.map((one) => one.came));
}

async function taps(page) {
  const [there, back] = [[], []];
  for (let n = 0; n < TAPS; n += 1) {
    await page.locator('.grid').waitFor();
    await advance(page, 0, 1, LIMIT);
    // At another moment of the group of pictures each time.
    await pause(n * 170);
    await forget(page);
    await page.locator('.grid > li .hit').first().click();
    const first = await until('the large picture', async () => {
      const { shown, taps: [tap] } = await glass(page);
      const picture = shown.find((one) => one.width === 1920);
      return picture && picture.at - tap;
    }, LIMIT);
    there.push(first);
    await advance(page, 0, 0.5, LIMIT);
    await forget(page);
    await page.locator('.bar a.square').first().click();
    back.push(await until('the tile', async () => {
      const { shown, taps: [tap] } = await glass(page);
      const picture = shown.find((one) => one.width === 640 && one.at > tap);
      return picture && picture.at - tap;
    }, LIMIT));
  }
  row('tap → first picture of the main stream', there);
  row('back → first picture of a tile', back);
}

async function scrub(page) {
  await page.goto(`${url}/camera/c0`);
  await advance(page, 0, 1, LIMIT);
  await page.getByRole('button', { name: vi['nav.playback'] }).click();
  await page.locator('.viewer[data-status=ready]').waitFor();
  const zoom = page.getByRole('button', { name: vi['play.zoom_in'] });
  while (await zoom.isEnabled()) await zoom.click();
  const stop = page.getByRole('button', { name: vi['play.pause'], exact: true });
  if (await stop.isVisible()) await stop.click();
  await until('it stands', () => page.locator('.viewer video').evaluate((video) => video.paused && !video.seeking));
  const box = await page.locator('canvas.near').boundingBox();
  const [middle, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(middle, y);
  await page.mouse.down();
  const [near, very] = [[], []];
  for (let n = 1; n <= MOVES; n += 1) {
    await forget(page);
    // To and fro over the last half minute, never to the same place.
    const x = middle + 12 + ((n * 37) % 120);
    await page.mouse.move(x, y);
    const there = async () => {
      const { shown, moves: [move] } = await glass(page);
      return shown.filter((one) => one.at > move && Math.abs(one.mediaTime - one.wanted) < 0.1).map((one) => one.at - move);
    };
    near.push((await until('a picture there', async () => (await there())[0] && there(), LIMIT))[0]);
    very.push(await until('it stands', async () => {
      const before = await there();
      await pause(QUIET);
      const after = await there();
      return after.length === before.length && after[after.length - 1];
    }, LIMIT));
  }
  await page.mouse.up();
  row('finger on the time → a picture within its group', near);
  row('finger on the time, resting → the very picture', very);
}

const browser = await launch();
try {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'vi-VN' })).newPage();
  page.setDefaultTimeout(LIMIT);
  await page.addInitScript(spy);
  await page.goto(url);
  await page.fill('input[name=username]', name);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
  await page.locator('.grid').waitFor();
  console.log(`Chromium ${browser.version()}\n| what | n | least | p50 | p95 | p99 | most |\n|---|---|---|---|---|---|---|`);
  await live(page, 'one main stream, 1080p', '/camera/c0');
  await live(page, 'tiles, 360p', '/');
  await taps(page);
  await scrub(page);
} finally {
  await browser.close();
}
