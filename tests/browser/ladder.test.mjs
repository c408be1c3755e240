// The ways a live picture comes: by the socket, by HLS, as single pictures; chosen by what the browser can, left when they fail, and sparing data.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { PHONE, loginOf, open, stay, tell } from './visit.mjs';
import { advance, misfits, videos } from './watch.mjs';

const skip = skipping('browser-ladder');
/** One as most are, one that this browser cannot play at all. */
const [GATE, SCHOOL] = [
  ['cong-lang', 'Cổng làng', 'size=640x360,fps=15,sub-fps=15,gop=1s'],
  ['truong-hoc', 'Trường học', 'variant=3,size=640x360,fps=10,codec=h265,sub-codec=h265'],
];

let village;
let browser;
let login;
let screens;

// The village is on this machine, and a browser does not do WebRTC with its own machine unless told so.
stay(skip, { start: { cameras: [GATE, SCHOOL] }, switches: ['--allow-loopback-in-peer-connection'] }, async (here) => {
  ({ village, browser, screens } = here);
  login = await loginOf(browser, village);
});

/** A test with a phone of its own. `prepare`: what to do to its page before it opens. */
function step(name, where, run, prepare = async () => undefined) {
  test(name, { skip }, async () => {
    const context = await browser.newContext({ ...PHONE, storageState: login });
    const complaints = [];
    const page = await open(context, complaints, 30_000);
    try {
      await prepare(page);
      await page.goto(village.url + where);
      await run(page, complaints);
      assert.deepEqual(complaints, [], 'the browser complained');
    } catch (error) {
      await tell({ page }, village);
      throw error;
    } finally {
      await context.close();
    }
  });
}

const tile = (id) => `.grid > li[data-camera="${id}"]`;
const rung = (page, id, which, limit = 30_000) => page.locator(`${tile(id)} [data-rung=${which}]`).waitFor({ timeout: limit });

/** What single picture is shown: its address, size, and a hash of its pixels. */
const single = (page, id) => page.evaluate((where) => {
  const image = document.querySelector(`${where} img.single`);
  if (!image?.complete || image.naturalWidth === 0) return null;
  const pen = Object.assign(document.createElement('canvas'), { width: 64, height: 36 }).getContext('2d');
  pen.drawImage(image, 0, 0, 64, 36);
  return { src: image.src, width: image.naturalWidth, hash: pen.getImageData(0, 0, 64, 36).data.reduce((hash, byte) => (hash * 31 + byte) | 0, 0) };
}, tile(id));

/** Waits for three different pictures. */
async function leafs(page, id, limit = 40_000) {
  const seen = new Map();
  await until('three single pictures', async () => {
    const now = await single(page, id);
    if (now) seen.set(now.src, now.hash);
    return seen.size >= 3;
  }, limit);
  assert.ok(new Set(seen.values()).size >= 2, 'and not the same again');
}

const NO_MSE = () => {
  delete window.MediaSource;
  delete window.ManagedMediaSource;
};
const NO_RTC = () => {
  delete window.RTCPeerConnection;
};
const NO_HLS = () => {
  const can = HTMLMediaElement.prototype.canPlayType;
  HTMLMediaElement.prototype.canPlayType = function canPlayType(type) {
    return /mpegurl/i.test(type) ? '' : can.call(this, type);
  };
};

step('with everything there it is the socket, close to now; H.265 that the browser cannot play moves all the same, and says how', '/', async (page) => {
  await rung(page, GATE[0], 'socket');
  await advance(page, 0);
  await until('at most a second behind', async () => {
    const [now] = await videos(page);
    return now.delay !== null && now.delay < 1;
  });
  await rung(page, SCHOOL[0], 'socket');
  await advance(page, 1, 3);
  const plays = await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L120.90"'));
  assert.equal(plays, false, 'this browser plays no H.265: else this would show nothing');
  await page.getByText(vi['live.converted']).waitFor();
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'ladder.png') });
  await page.locator(`${tile(SCHOOL[0])} a.hit`).tap();
  await page.locator('section.camera [data-rung=socket]').waitFor();
  await advance(page, 0, 3);
  await page.getByText(vi['live.converted']).waitFor();
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'ladder-converted.png') });
});

{
  let refused = 0;
  step('where the box converts all it can it is single pictures, says why, and asks again', `/camera/${SCHOOL[0]}`, async (page) => {
    await page.locator('section.camera [data-rung=stills]').waitFor();
    await page.locator('section.camera img.single').waitFor();
    await page.getByText(vi['live.stills_full']).waitFor();
    assert.deepEqual(await misfits(page), []);
    await page.screenshot({ path: path.join(screens, 'ladder-full.png') });
    await until('it asks again', () => refused >= 2, 60_000);
  }, (page) => page.routeWebSocket(/\/live\?/, (socket) => {
    refused += 1;
    socket.send(JSON.stringify({ type: 'refused', camera: SCHOOL[0], kind: 'renditions-full', detail: '' }));
  }));
}

step('a browser without media sources and WebRTC plays the playlist by itself', '/', async (page) => {
  await rung(page, GATE[0], 'hls');
  await advance(page, 0, 4);
  await page.locator(`${tile(GATE[0])} a.hit`).tap();
  await page.locator('section.camera[data-stream=main] [data-rung=hls]').waitFor();
  await advance(page, 0, 4);
}, async (page) => {
  await page.addInitScript(NO_MSE);
  await page.addInitScript(NO_RTC);
});

step('HLS by force, of what has to be converted as well', '/?live=hls', async (page) => {
  await rung(page, GATE[0], 'hls');
  await advance(page, 0, 4);
  await rung(page, SCHOOL[0], 'hls');
  await advance(page, 1, 4);
});

step('a browser that can nothing shows single pictures, and a snapshot can be taken of them', '/', async (page) => {
  await rung(page, GATE[0], 'stills');
  await leafs(page, GATE[0]);
  await page.locator(`${tile(GATE[0])} a.hit`).tap();
  await page.locator('section.camera img.single').waitFor();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: vi['act.snapshot'] }).tap();
  assert.match((await saved).suggestedFilename(), /^cong-lang_.*\.jpg$/);
}, async (page) => {
  for (const script of [NO_MSE, NO_RTC, NO_HLS]) await page.addInitScript(script);
});

for (const [next, prepare] of [['webrtc', async () => undefined], ['hls', (page) => page.addInitScript(NO_RTC)]]) {
  let through = false;
  let refused = 0;
  step(`where the socket does not get through it is ${next}, and the socket again once it does`, '/', async (page, complaints) => {
    await rung(page, GATE[0], next, 60_000);
    assert.ok(refused >= 3, `after ${refused} tries`);
    await advance(page, 0, 4);
    through = true;
    await rung(page, GATE[0], 'socket', 90_000);
    await advance(page, 0, 3);
    complaints.splice(0);
  }, async (page) => {
    await prepare(page);
    await page.routeWebSocket(/\/api\/v1\/live/, (socket) => {
      if (through) socket.connectToServer();
      else {
        refused += 1;
        socket.close({ code: 1011 });
      }
    });
  });
}

/** What the page's connections received, one line each; `window.peers` is of [`KEEP_PEERS`]. */
const received = (page) => page.evaluate(async () => {
  const lines = [];
  for (const peer of window.peers.filter((one) => one.connectionState !== 'closed')) {
    (await peer.getStats()).forEach((report) => {
      if (report.type === 'inbound-rtp') lines.push({ frames: report.framesDecoded, keys: report.keyFramesDecoded, packets: report.packetsReceived, width: report.frameWidth });
    });
  }
  return lines;
});
const KEEP_PEERS = () => {
  const Peer = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Peer {
    constructor(...args) {
      super(...args);
      window.peers.push(this);
    }
  };
};

step('WebRTC by force: pictures over UDP, the main stream when it is large, and a goodbye that frees the place', '/?live=webrtc', async (page, complaints) => {
  const asked = [];
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await rung(page, GATE[0], 'webrtc');
  await advance(page, 0, 3);
  const [first] = await received(page);
  assert.ok(first.frames > 10 && first.keys >= 1 && first.packets > first.frames, JSON.stringify(first));
  assert.equal(asked.filter((line) => line.startsWith('GET') && line.includes('/live')).length, 0, 'no socket beside it');
  // H.265 is refused, and said.
  await page.locator(`${tile(SCHOOL[0])}[data-cover=unsupported]`).waitFor();
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'ladder-webrtc.png') });
  await page.locator(`${tile(GATE[0])} a.hit`).tap();
  await page.locator('section.camera[data-stream=main] [data-rung=webrtc]').waitFor();
  await advance(page, 0, 3);
  await until('the tile said goodbye', () => asked.some((line) => line.startsWith(`DELETE /api/v1/cameras/${GATE[0]}/webrtc/`)));
  // The first complaint is the refusal, as browsers tell it.
  complaints.splice(0);
}, (page) => page.addInitScript(KEEP_PEERS));

step('sparing data: a picture in ten seconds, megabytes told, and a tap shows it live', '/cai-dat', async (page) => {
  await page.locator('[data-saver=auto]').getByRole('button', { name: vi['saver.on'] }).tap();
  await page.locator('[data-saver=on]').waitFor();
  const asked = [];
  page.on('request', (request) => /snapshot\.jpg/.test(request.url()) && request.url().includes(GATE[0]) && asked.push(Date.now()));
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.getByRole('link', { name: vi['nav.live'] }).first().tap();
  await page.locator('[data-saving]').waitFor();
  await rung(page, GATE[0], 'stills');
  await until('two pictures were asked for', () => asked.length >= 2, 30_000);
  assert.ok(asked[1] - asked[0] >= 9_500, `${asked[1] - asked[0]} ms`);
  assert.deepEqual(sockets, []);
  await until('what was used is told', async () => /[1-9].* (kB|MB)/.test(await page.locator('[data-saving]').textContent()));
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'saver.png') });
  await page.locator(`${tile(GATE[0])} a.hit`).tap();
  await page.locator('section.camera[data-stream=sub] [data-rung=socket]').waitFor();
  await advance(page, 0, 2);
});

step('mobile data is spared by itself', '/', async (page) => {
  await page.locator('[data-saving]').waitFor();
  await rung(page, GATE[0], 'stills');
}, (page) => page.addInitScript(() => {
  Object.defineProperty(navigator, 'connection', { value: { type: 'cellular', saveData: false, addEventListener: () => undefined } });
}));
