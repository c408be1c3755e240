// A camera's sound in the browser: off until somebody taps, heard in step with a picture that goes on, and gone again; and what is said where it cannot be.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { launch, screensOf, skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { USER, Village } from './village.mjs';
import { listen, misfits, videos, wentOn } from './watch.mjs';

const skip = skipping('browser-sound');
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: 'vi-VN' };
const [LAW, AAC, MUTE] = [
  ['cong-lang', 'Cổng làng', 'size=640x360,fps=15,sub-fps=15,gop=1s,audio=pcma'],
  ['cho', 'Chợ', 'variant=2,size=640x360,fps=15,sub-fps=15,gop=2s,audio=aac'],
  ['truong-hoc', 'Trường học', 'variant=3,size=640x360,fps=15,sub-fps=15,gop=1s'],
];

let village;
let browser;
let login;
let screens;

before(async () => {
  if (skip) return;
  village = await Village.start({ cameras: [LAW, AAC, MUTE] });
  screens = screensOf(village);
  browser = await launch();
  const context = await browser.newContext(PHONE);
  const page = await context.newPage();
  await page.goto(village.url);
  await page.fill('input[name=username]', USER.name);
  await page.fill('input[name=password]', USER.password);
  await page.click('button[type=submit]');
  await page.locator('.grid').waitFor();
  login = await context.storageState();
  await context.close();
});

after(async () => {
  await browser?.close();
  const status = await village?.stop();
  if (village) assert.equal(status, 0, 'matthon ends with 0 after SIGTERM');
});

/** A test with a phone of its own, at a camera's page; it is told of every socket that opens. */
function step(name, camera, run, prepare = async () => undefined) {
  test(name, { skip }, async () => {
    const context = await browser.newContext({ ...PHONE, storageState: login });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints = listen(page);
    const sockets = [];
    page.on('websocket', (socket) => sockets.push(new URL(socket.url()).pathname));
    try {
      // What the page feeds its video with, for the test to look at.
      await page.addInitScript(() => {
        window.fed = [];
        const add = MediaSource.prototype.addSourceBuffer;
        MediaSource.prototype.addSourceBuffer = function addSourceBuffer(mime) {
          const buffer = add.call(this, mime);
          window.fed.push({ mime, buffer });
          return buffer;
        };
      });
      await prepare(page);
      await page.goto(`${village.url}/camera/${camera[0]}`);
      await run(page, sockets);
      assert.deepEqual(complaints, [], 'the browser complained');
    } catch (error) {
      console.error(`--- page\n${await page.evaluate(() => document.body.innerText).catch(() => '')}\n--- sockets ${sockets}\n--- log\n${village.log()}`);
      throw error;
    } finally {
      await context.close();
    }
  });
}

/** The picture's state, and what was decoded of its sound. */
const state = (page) => page.evaluate(() => {
  const video = document.querySelector('section.camera video');
  const end = (mime) => {
    const newest = window.fed.filter((one) => one.mime.startsWith(mime)).pop();
    try {
      const { buffered } = newest.buffer;
      return buffered.length > 0 ? buffered.end(buffered.length - 1) : null;
    } catch {
      return null;
    }
  };
  return { muted: video.muted, decoded: video.webkitAudioDecodedByteCount, time: video.currentTime, picture: end('video/'), sound: end('audio/') };
});

async function goesOn(page, seconds = 2, limit = 45_000) {
  const first = await until('a picture is there', async () => {
    const [now] = await videos(page);
    return now?.width > 0 && now.frames > 0 && now;
  }, limit);
  await until('it goes on', async () => wentOn(first, (await videos(page))[0], seconds), limit);
}

/** Taps for sound and waits until so much of it was decoded while the picture went on. */
async function hear(page) {
  await page.getByRole('button', { name: vi['sound.on'] }).tap();
  await page.locator('section.camera[data-sound=on]').waitFor();
  const first = await until('sound is decoded', async () => {
    const now = await state(page);
    return now.decoded > 0 && now;
  });
  const later = await until('three seconds on, sound and all', async () => {
    const now = await state(page);
    return now.time - first.time >= 3 && now.decoded > first.decoded && now;
  }, 60_000);
  assert.equal(later.muted, false);
  assert.ok(Math.abs(later.picture - later.sound) < 1.5, `the picture to ${later.picture} s, the sound to ${later.sound} s`);
  await goesOn(page);
}

step('silent until a tap, heard after it, and silent again: what is not heard is not fetched', LAW, async (page, sockets) => {
  await goesOn(page);
  await page.getByRole('button', { name: vi['sound.on'] }).waitFor();
  assert.deepEqual(sockets, [`/api/v1/cameras/${LAW[0]}/live`]);
  const before = await state(page);
  assert.deepEqual([before.muted, before.decoded, before.sound], [true, 0, null]);
  await hear(page);
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'sound.png') });
  assert.equal(sockets.pop(), `/api/v1/cameras/${LAW[0]}/live/sound`);
  await page.getByRole('button', { name: vi['sound.off'] }).tap();
  await page.locator('section.camera[data-sound=off]').waitFor();
  await goesOn(page);
  assert.equal(sockets.pop(), `/api/v1/cameras/${LAW[0]}/live`);
  assert.equal((await state(page)).muted, true);
});

step('AAC as well, and a camera that went away and came back is heard again', AAC, async (page) => {
  await hear(page);
  await village.say(`drop ${AAC[0]}`);
  await village.say(`up ${AAC[0]}`);
  const before = await state(page);
  await until('heard again', async () => {
    const now = await state(page);
    return now.time - before.time >= 3 && now.decoded > before.decoded;
  }, 60_000);
  await goesOn(page);
});

step('a camera without sound has no button for it', MUTE, async (page) => {
  await goesOn(page);
  assert.equal(await page.getByRole('button', { name: vi['sound.on'] }).count(), 0);
});

step('in the grid nothing is heard', LAW, async (page, sockets) => {
  await page.getByRole('link', { name: vi['live.back'] }).first().tap();
  await page.locator('.grid').waitFor();
  await goesOn(page);
  assert.equal(await page.getByRole('button', { name: vi['sound.on'] }).count(), 0);
  assert.deepEqual(sockets.filter((one) => one.includes('sound')), []);
});

step('a browser that cannot play it says so, goes on with the picture and fetches no sound', LAW, async (page, sockets) => {
  await page.getByRole('button', { name: vi['sound.on'] }).tap();
  await page.getByText(vi['sound.unsupported']).waitFor();
  await until('the socket without sound', () => sockets[sockets.length - 1]?.endsWith('/live'));
  await goesOn(page);
  assert.equal((await state(page)).muted, true);
}, (page) => page.addInitScript(() => {
  const can = MediaSource.isTypeSupported.bind(MediaSource);
  MediaSource.isTypeSupported = (type) => !type.startsWith('audio/') && can(type);
}));
