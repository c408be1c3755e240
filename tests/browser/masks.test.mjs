// A camera with masks as an administrator sees it: black where it is covered, live and in the past, and why.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { PHONE, open, signIn, stay } from './visit.mjs';
import { misfits, videos, wentOn } from './watch.mjs';

const skip = skipping('browser-masks');
/** Its right half, down to nine tenths. */
const GATE = ['cong-lang', 'Cổng làng', 'size=640x360,fps=10,sub-fps=10,gop=1s', 'masks = [[[0.5, 0.0], [1.0, 0.0], [1.0, 0.9], [0.5, 0.9]]]'];

let village;
let screens;
let context;
let page;
const complaints = [];

stay(skip, { start: { cameras: [GATE] } }, async (here) => {
  ({ village, screens } = here);
  context = await here.browser.newContext(PHONE);
  page = await open(context, complaints, 30_000);
  await page.goto(village.url);
  await signIn(page);
  await page.locator('.grid').waitFor();
});

/** The brightest red of both halves of what is shown, a little away from their border. */
const halves = (what) => page.evaluate((selector) => {
  const shown = document.querySelector(selector);
  if (!shown || !(shown.videoWidth || shown.naturalWidth)) return null;
  const pen = Object.assign(document.createElement('canvas'), { width: 64, height: 36 }).getContext('2d');
  pen.drawImage(shown, 0, 0, 64, 36);
  const most = (x, w) => Math.max(...pen.getImageData(x, 2, w, 28).data.filter((_, n) => n % 4 === 0));
  return { open: most(2, 26), masked: most(36, 26) };
}, what);

async function isCovered(what) {
  const seen = await until('a picture with one half open', async () => {
    const now = await halves(what);
    return now && now.open > 100 && now;
  }, 40_000);
  assert.ok(seen.masked < 40, `the masked half is black: ${JSON.stringify(seen)}`);
}

test('live it moves, black where it is masked, and says who sees it all', { skip }, async () => {
  const first = await until('a picture is there', async () => {
    const [now] = await videos(page);
    return now?.frames > 0 && now;
  }, 45_000);
  await until('it goes on', async () => wentOn(first, (await videos(page))[0], 2), 45_000);
  await isCovered('.grid video');
  await page.locator('.grid > li a.hit').tap();
  await page.locator('section.camera[data-stream=main] [data-rung=socket]').waitFor();
  await page.getByText(vi['live.covered']).waitFor();
  await isCovered('section.camera video');
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'masked.png') });
});

test('the past is single pictures and a film, black where they are masked, and says why', { skip }, async () => {
  await page.goto(`${village.url}/xem-lai/${GATE[0]}`);
  await page.getByText(vi['play.masked']).waitFor();
  // What was recorded a moment ago, once there is so much.
  const back = page.getByRole('button', { name: vi['play.back_10'] });
  const forward = page.getByRole('button', { name: vi['play.forward_10'] });
  await until('a picture of the past', async () => {
    if (await halves('.masked img.single')) return true;
    await forward.tap();
    return false;
  }, 90_000);
  await isCovered('.masked img.single');
  assert.deepEqual(await misfits(page), []);
  await back.tap();
  // A film of it begins at that moment and goes on, as the box makes it.
  const shown = async () => Number(await page.locator('.masked').getAttribute('data-wall'));
  const began = await shown();
  await page.getByRole('button', { name: vi['play.play'], exact: true }).tap();
  const film = () => page.evaluate(() => { const v = document.querySelector('.masked video'); return { at: v.currentTime, frames: v.getVideoPlaybackQuality().totalVideoFrames }; });
  await until('the film goes on', async () => { const now = await film(); return now.at > 2 && now.frames > 10; }, 60_000);
  assert.equal(await page.locator('.masked').getAttribute('data-film'), 'playing');
  assert.ok(await shown() > began + 1500, 'and its time with it');
  await isCovered('.masked video');
  await page.screenshot({ path: path.join(screens, 'masked-film.png') });
  await page.getByRole('button', { name: vi['play.pause'], exact: true }).tap();
  const stands = await film();
  assert.equal(await page.locator('.masked').getAttribute('data-film'), 'paused');
  assert.deepEqual(await misfits(page), []);
  // Faster, from there.
  await page.getByRole('button', { name: vi['play.speed_set'].replace('{n}', '4') }).tap();
  await page.getByRole('button', { name: vi['play.play'], exact: true }).tap();
  await until('it went on from there', async () => (await film()).at > stands.at, 60_000);
  await back.tap();
  await until('another moment of it', async () => await page.locator('.masked').getAttribute('data-film') === 'playing', 60_000);
  await isCovered('.masked video');
  // Before there was a sign-in, and before there was a past, the box said so.
  assert.deepEqual(complaints.filter(({ text }) => !/\b(401|503)\b/.test(text)), [], 'the browser complained');
});
