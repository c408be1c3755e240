// A TV: its code typed on a phone, the wall moving, keys of a remote control, a meeting, the server lost and back, let go.
import assert from 'node:assert/strict';
import path from 'node:path';
import { skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { PHONE, open, signIn, stay, story } from './visit.mjs';
import { misfits, videos, wentOn } from './watch.mjs';

const skip = skipping('browser-tv');
const NAME = 'Nhà văn hóa';

let village;
let phone;
let tv;
let screens;
const complaints = [];

// By night as by day.
stay(skip, { start: { wall: 'never' } }, async (here) => {
  ({ village, screens } = here);
  phone = await open(await here.browser.newContext(PHONE), complaints);
  tv = await open(await here.browser.newContext({ viewport: { width: 1280, height: 720 }, locale: 'vi-VN' }), complaints);
});

const step = story(skip, {
  complaints, told: () => ({ pages: { tv, phone }, village }),
  // Not let in yet, a wrong code, and a server that is away are told by the browser as well.
  provoked: ({ text }) => /status of (401|404) |ERR_CONNECTION_REFUSED|WebSocket connection to/.test(text),
});

const state = () => tv.evaluate(() => document.body.getAttribute('data-state'));
const code = async () => (await tv.locator('#code').textContent()).replace(/\D/g, '');
const shoot = (page, name) => page.screenshot({ path: path.join(screens, `${name}.png`) });

/** The wall moves: its time, its frames, its pixels. */
async function moves(what) {
  await until(`${what}: a picture`, async () => (await state()) === 'live', 60_000);
  const [before] = await videos(tv);
  await until(`${what}: it goes on`, async () => wentOn(before, (await videos(tv))[0], 1), 30_000);
}

/** What the corner says after a key. */
async function says(key) {
  await tv.evaluate(() => { document.getElementById('note').textContent = ''; });
  await tv.keyboard.press(key);
  return until(`an answer to ${key}`, () => tv.locator('#note').textContent());
}

step('the TV shows six digits and what to do with them', async () => {
  await tv.goto(`${village.url}/tv`);
  await until('a code', async () => /^\d{6}$/.test(await code()));
  await tv.getByText(vi['tv.how']).waitFor();
  assert.equal(await tv.locator('#village').textContent(), 'Thôn Duyên Hy');
  await shoot(tv, 'tv-code');
});

step('an official types them on a phone; public is what is offered first', async () => {
  await phone.goto(`${village.url}/cai-dat`);
  await signIn(phone);
  const form = phone.locator('[data-pair]');
  await form.waitFor();
  assert.ok(await form.locator('input[value=public]').isChecked());
  const shown = await code();
  await form.locator('input[name=code]').fill(shown === '000000' ? '000001' : '000000');
  await form.locator('input[name=tv]').fill(NAME);
  await form.getByRole('button', { name: vi['tvs.pair'] }).click();
  await form.getByRole('alert').waitFor();
  assert.deepEqual(await misfits(phone), []);
  await form.locator('input[name=code]').fill(`${shown.slice(0, 3)} ${shown.slice(3)}`);
  await phone.screenshot({ path: path.join(screens, 'tv-pair.png'), fullPage: true });
  await form.getByRole('button', { name: vi['tvs.pair'] }).click();
  await phone.locator('[data-tv]', { hasText: NAME }).waitFor();
});

step('the wall of all cameras moves, 1920 × 1080', async () => {
  await moves('after pairing');
  const [wall] = await videos(tv);
  assert.deepEqual([wall.width, wall.height], [1920, 1080]);
  await shoot(tv, 'tv-public');
});

step('arrow keys turn pages and change how many cameras a page has', async () => {
  assert.equal(await says('ArrowUp'), vi['tv.page'].replace('{page}', '1').replace('{pages}', '4').replace('{tiles}', '1'));
  assert.equal(await says('ArrowRight'), vi['tv.page'].replace('{page}', '2').replace('{pages}', '4').replace('{tiles}', '1'));
  assert.equal(await says('ArrowLeft'), vi['tv.page'].replace('{page}', '1').replace('{pages}', '4').replace('{tiles}', '1'));
  await moves('one camera');
  assert.equal(await says('ArrowDown'), vi['tv.page'].replace('{page}', '1').replace('{pages}', '1').replace('{tiles}', '4'));
});

step('a meeting: a plain page until its end, kept over a reload, ended early', async () => {
  await tv.keyboard.press('Enter');
  await tv.keyboard.press('ArrowDown');
  assert.equal(await tv.locator('.choice.at').getAttribute('data-choice'), 'meeting');
  await tv.keyboard.press('Enter');
  const offered = await tv.locator('.choice.at').textContent();
  await tv.keyboard.press('ArrowRight');
  assert.notEqual(await tv.locator('.choice.at').textContent(), offered);
  await shoot(tv, 'tv-meeting-menu');
  await tv.keyboard.press('Enter');
  await until('a plain page', async () => (await state()) === 'meeting');
  assert.match(await tv.locator('#say').textContent(), /\d\d:(00|15|30|45)$/);
  await tv.reload();
  await until('a plain page after a power cut', async () => (await state()) === 'meeting');
  await tv.keyboard.press('Enter');
  await tv.keyboard.press('Escape');
  assert.equal(await tv.locator('#menu').isVisible(), false);
  await tv.keyboard.press('Enter');
  await tv.keyboard.press('ArrowDown');
  await tv.keyboard.press('Enter');
  await moves('after the meeting');
});

step('the server goes away and comes back: the TV says so, and goes on by itself', async () => {
  await village.restart(async () => {
    await tv.getByText(vi['tv.lost']).waitFor();
    await shoot(tv, 'tv-lost');
  });
  await moves('after the server is back');
});

step('let go on the phone, the TV shows a code again', async () => {
  await phone.reload();
  const row = phone.locator('[data-tv]', { hasText: NAME });
  await row.getByRole('button', { name: vi['tvs.release'] }).click();
  await row.locator('[data-sure]').click();
  await row.waitFor({ state: 'detached' });
  await until('another code', async () => (await state()) === 'pairing' && /^\d{6}$/.test(await code()), 40_000);
});
