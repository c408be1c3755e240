// What comes over the network: the first view of a new phone, and live pictures of the tiles in sight and no others.
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { PHONE as ANY, open, signIn, stay } from './visit.mjs';
import { advance, misfits, videos } from './watch.mjs';

const skip = skipping('browser-bytes');
/** Low: few of the tiles are in sight. */
const PHONE = { ...ANY, viewport: { width: 390, height: 560 } };
const COUNT = 8;
const CAMERAS = Array.from({ length: COUNT }, (_, n) => [`ngo-${n}`, `Ngõ ${n}`, `variant=${n + 1},size=320x180,sub-size=320x180,fps=10,sub-fps=10,gop=1s`]);
/** All that a phone fetches until it shows the live page for the first time, pictures aside: bytes on the wire, heads included. */
const FIRST_VIEW = 150_000;

let village;
let browser;
let wire;

/** A door in front of the village that counts what goes through it to the browser: by plain requests, and by sockets. */
async function counted(url) {
  const { port } = new URL(url);
  const wire = { plain: 0, sockets: 0 };
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    let kind = 'plain';
    near.on('data', (data) => {
      if (/^upgrade: websocket\r$/im.test(data.toString('latin1'))) kind = 'sockets';
    });
    far.on('data', (data) => (wire[kind] += data.length));
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  wire.url = `http://127.0.0.1:${server.address().port}`;
  wire.close = () => server.close();
  return wire;
}

stay(skip, { start: { cameras: CAMERAS }, leave: () => wire?.close() }, async (here) => {
  ({ village, browser } = here);
  wire = await counted(village.url);
});

let login;
const tile = (n) => `.grid > li[data-camera="${CAMERAS[n][0]}"]`;

test('the first view of a new phone is light', { skip }, async () => {
  const context = await browser.newContext(PHONE);
  const page = await context.newPage();
  await page.goto(wire.url);
  await page.locator('input[name=username]').waitFor();
  // What comes behind it, icons and the service worker, is fetched as well: until nothing more came for a second.
  let [before, since] = [0, Date.now()];
  await until('the wire is still', () => {
    if (wire.plain !== before) [before, since] = [wire.plain, Date.now()];
    return Date.now() - since > 1000;
  });
  await signIn(page);
  await page.locator(tile(0)).waitFor();
  await advance(page, 0, 0.5);
  const { plain } = wire;
  console.log(`first view: ${before} bytes until the name is asked for, ${plain} until a picture moves`);
  // What was fetched is the page: one that came from nowhere would weigh nothing.
  assert.ok(before > 10_000, `${before} bytes`);
  assert.ok(plain <= FIRST_VIEW, `${plain} bytes`);
  login = await context.storageState();
  await context.close();
});

test('tiles that are scrolled out of sight are not sent, and move again when they are back', { skip }, async () => {
  const context = await browser.newContext({ ...PHONE, storageState: login });
  const complaints = [];
  const page = await open(context, complaints, 30_000);
  const [sockets, said, frames] = [[], [], CAMERAS.map(() => 0)];
  page.on('websocket', (socket) => {
    sockets.push(socket.url());
    socket.on('framesent', ({ payload }) => said.push(JSON.parse(payload)));
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload !== 'string') frames[payload[0]] += 1;
    });
  });
  try {
    await page.goto(wire.url);
    const last = COUNT - 1;
    await advance(page, 0);
    assert.equal(frames[last], 0, 'what was never in sight was never sent');
    assert.match(sockets[0], /[?&]want=0/);
    // By the finger's way, not by a jump.
    for (let n = 1; n <= last; n += 1) await page.locator(tile(n)).scrollIntoViewIfNeeded();
    await advance(page, last);
    await until('the first tile is sent no more', async () => {
      const [gone, here] = [frames[0], frames[last]];
      await until('others are', () => frames[last] >= here + 15);
      return frames[0] === gone;
    });
    await until('its decoder is let go', async () => (await page.locator(`${tile(0)} video`).evaluate((video) => video.readyState)) === 0);
    assert.ok((await videos(page))[last].frames > 0);
    await page.locator(tile(0)).scrollIntoViewIfNeeded();
    await advance(page, 0);
    await until('the last tile is sent no more', async () => {
      const [gone, here] = [frames[last], frames[0]];
      await until('others are', () => frames[0] >= here + 15);
      return frames[last] === gone;
    });
    assert.equal(sockets.length, 1, 'all over one socket');
    assert.ok(said.length >= 2 && said.every(({ want }) => Array.isArray(want)), JSON.stringify(said));
    assert.equal(await page.getByText(vi['live.title']).first().isVisible(), true);
    assert.deepEqual(await misfits(page), []);
    assert.deepEqual(complaints, [], 'the browser complained');
  } catch (error) {
    console.error(`frames ${frames}\nsaid ${JSON.stringify(said)}\n${await page.evaluate(() => document.body.innerText).catch(() => '')}\n--- log\n${village.log()}`);
    throw error;
  } finally {
    await context.close();
  }
});
