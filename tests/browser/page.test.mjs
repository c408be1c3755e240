// The page in a real browser: four cameras seen live, the past scrubbed, a clip taken home, a case made and answered, a camera lost and found again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { en, skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { CAMERAS, USER } from './village.mjs';
import { open, signIn, stay, story } from './visit.mjs';
import { listen, misfits, videos, wentOn } from './watch.mjs';

const skip = skipping('browser');
const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const [GATE, MARKET, , HALL] = CAMERAS;
/** What somebody writes who keeps a case. */
const NOTE = 'Rác để bên lề đường';
/** Seconds behind the newest frame that a live picture may be. */
const DELAY = 1.2;

let village;
let browser;
let context;
let page;
const complaints = [];
let screens;

stay(skip, {}, async (here) => {
  ({ village, browser, screens } = here);
  context = await browser.newContext({ ...DESKTOP, locale: 'vi-VN', acceptDownloads: true });
  page = await open(context, complaints);
});

const step = story(skip, { complaints, told: () => ({ pages: { page }, village }) });

/** Takes out complaints that the step provoked on purpose; the others stay and fail it. */
function forgive(pattern) {
  for (let i = complaints.length - 1; i >= 0; i -= 1) if (pattern.test(`${complaints[i].text} ${complaints[i].url}`)) complaints.splice(i, 1);
}
const REFUSED = /status of 401 .*\/api\/v1\//;

const shoot = async (from, name) => {
  await from.evaluate(() => window.scrollTo(0, 0));
  await from.screenshot({ path: path.join(screens, `${name}.png`) });
};
const tile = (id) => `.grid > li[data-camera="${id}"]`;

/** Waits until the videos number `which` all go on by `seconds` from now. */
async function advance(on, which, seconds = 1.5, limit = 30_000) {
  let first = await until('pictures are there', async () => {
    const now = await videos(on);
    return which.every((i) => now[i]?.width > 0 && now[i].frames > 0) && now;
  }, limit);
  await until(`videos ${which} go on`, async () => {
    const now = await videos(on);
    // A player that was built anew counts from zero.
    first = first.map((old, i) => (now[i] && now[i].time < old.time ? now[i] : old));
    return which.every((i) => now[i] && wentOn(first[i], now[i], seconds));
  }, limit);
}

step('a wrong password is refused in words', async () => {
  await page.goto(village.url);
  await signIn(page, 'sai');
  await page.getByText(vi['login.wrong']).waitFor();
  await shoot(page, 'login');
  forgive(REFUSED);
});

step('signing in leads to the live page', async () => {
  await page.fill('input[name=password]', USER.password);
  await page.click('button[type=submit]');
  await page.locator(tile(GATE[0])).waitFor();
  assert.equal(await page.locator('.grid video').count(), CAMERAS.length);
  for (const [id, name] of CAMERAS) assert.equal(await page.locator(`${tile(id)} .caption-name`).textContent(), name);
});

step('four cameras advance, close to now', async () => {
  await advance(page, [0, 1, 2, 3], 3);
  await until(`all are at most ${DELAY} s behind`, async () => (await videos(page)).every((video) => video.delay !== null && video.delay < DELAY));
  for (const [id] of CAMERAS) assert.equal(await page.locator(tile(id)).getAttribute('data-cover'), 'none');
  await page.getByText(vi['live.count'].replace('{n}', '4').replace('{m}', '4')).waitFor();
  await shoot(page, 'live');
});

step('a tap opens the main stream, and a snapshot of it is kept', async () => {
  await page.click(`${tile(GATE[0])} .hit`);
  await page.locator('section.camera[data-stream=main][data-cover=none]').waitFor();
  await advance(page, [0]);
  await until(`at most ${DELAY} s behind`, async () => (await videos(page))[0].delay < DELAY);
  assert.deepEqual((await videos(page)).map(({ width, height }) => [width, height]), [[1280, 720]]);
  await shoot(page, 'big');
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: vi['act.snapshot'] }).click()]);
  assert.match(saved.suggestedFilename(), /^cong-lang_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg$/);
  const file = path.join(village.dir, 'snapshot.jpg');
  await saved.saveAs(file);
  assert.deepEqual([...readFileSync(file).subarray(0, 3)], [0xff, 0xd8, 0xff]);
});

step('H.265 that the browser cannot play: the sub stream, and the page says so', async () => {
  const plays = await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L93.B0"'));
  await page.goto(`${village.url}/camera/${MARKET[0]}`);
  await page.locator(`section.camera[data-stream=${plays ? 'main' : 'sub'}]`).waitFor();
  await advance(page, [0]);
  if (!plays) await page.getByText(vi['live.fallback_sub'].replace('{codec}', 'H.265')).waitFor();
});

const wall = async () => Number(await page.locator('.viewer').getAttribute('data-wall'));

step('playback: scrubbing back shows the past, and it plays', async () => {
  // Enough past to go back in; the cameras have been recorded since the start.
  await until('25 s are recorded', () => page.evaluate(async (id) => {
    const now = Date.now() / 1000;
    const { spans } = await (await fetch(`/api/v1/cameras/${id}/timeline?from=${now - 3600}&to=${now + 60}&stream=main`)).json();
    return spans.length > 0 && new Date(spans[spans.length - 1].to) - new Date(spans[0].from) > 25_000;
  }, GATE[0]), 60_000);
  await page.goto(`${village.url}/camera/${GATE[0]}`);
  await advance(page, [0], 0.5);
  await page.getByRole('button', { name: vi['nav.playback'] }).click();
  await page.locator('.viewer[data-status=ready]').waitFor();
  const zoom = page.getByRole('button', { name: vi['play.zoom_in'] });
  while (await zoom.isEnabled()) await zoom.click();
  const from = await until('the page knows when it is', wall);
  const box = await page.locator('canvas.near').boundingBox();
  // Three minutes across: to the right by a ninth is back by 20 s.
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + box.width / 18, box.y + box.height / 2, { steps: 4 });
  await page.mouse.move(box.x + box.width / 2 + box.width / 9, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const back = await until('it went back', async () => {
    const now = await wall();
    return now < from - 5_000 && now;
  });
  assert.ok(back > from - 40_000, `from ${from} to ${back}`);
  const play = page.getByRole('button', { name: vi['play.play'], exact: true });
  if (await play.isVisible()) await play.click();
  await advance(page, [0]);
  const later = await wall();
  assert.ok(later > back && later < back + 60_000, `${back} ${later}`);
  await shoot(page, 'playback');
});

step('jumps, speed and single pictures', async () => {
  await page.getByRole('button', { name: vi['play.speed_set'].replace('{n}', '2'), exact: true }).click();
  assert.equal(await page.locator('.viewer video').evaluate((video) => video.playbackRate), 2);
  await page.getByRole('button', { name: vi['play.speed_set'].replace('{n}', '1'), exact: true }).click();
  const pause = page.getByRole('button', { name: vi['play.pause'], exact: true });
  if (await pause.isVisible()) await pause.click();
  await until('it pauses', async () => (await videos(page))[0].paused);
  const at = await wall();
  await page.getByRole('button', { name: vi['play.back_10'] }).click();
  await until('10 s back, or the beginning', async () => (await wall()) < at && (await wall()) >= at - 10_500);
  const here = await wall();
  await page.getByRole('button', { name: vi['play.frame_forward'] }).click();
  await until('one picture on', async () => (await wall()) > here && (await wall()) < here + 500);
});

step('a clip is downloaded and every frame of it decodes', async () => {
  await page.getByRole('button', { name: vi['clip.here'] }).first().click();
  const from = await page.inputValue('#clip-from');
  const [h, m, s] = from.split(':').map(Number);
  const end = (h * 3600 + m * 60 + s + 8) % 86_400;
  const two = (n) => String(Math.floor(n)).padStart(2, '0');
  await page.fill('#clip-to', `${two(end / 3600)}:${two((end / 60) % 60)}:${two(end % 60)}`);
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: vi['clip.download'] }).click()]);
  assert.match(saved.suggestedFilename(), /^cong-lang.*\.mp4$/);
  const file = path.join(village.dir, 'clip.mp4');
  await saved.saveAs(file);
  const probe = (...options) => {
    const fields = 'stream=codec_name,width,height,nb_frames,nb_read_frames,duration';
    const done = spawnSync('ffprobe', ['-v', 'error', ...options, '-select_streams', 'v', '-count_frames', '-show_entries', fields, '-of', 'json', file], { encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    assert.equal(done.stderr, '');
    return JSON.parse(done.stdout).streams[0];
  };
  const shown = probe();
  assert.deepEqual([shown.codec_name, shown.width, shown.height], ['h264', 1280, 720]);
  assert.ok(Number(shown.duration) > 5 && Number(shown.duration) < 12, shown.duration);
  // The edit list hides what leads up to the second asked for: without it every frame there is decodes.
  const all = probe('-ignore_editlist', '1');
  assert.equal(all.nb_read_frames, all.nb_frames);
  assert.ok(Number(shown.nb_read_frames) > 0 && Number(shown.nb_read_frames) <= Number(all.nb_frames), shown.nb_read_frames);
});

step('“Giữ đoạn hình này”: two taps, and it is kept', async () => {
  await page.getByRole('button', { name: vi['act.hold'] }).click();
  await page.click('[data-keep="10"]');
  const kept = page.locator('[data-kept][data-state=done]');
  await kept.waitFor({ timeout: 60_000 });
  await kept.getByRole('button', { name: vi['keep.hold'] }).click();
  await kept.getByText(vi['case.held']).waitFor();
  const [saved] = await Promise.all([page.waitForEvent('download'), kept.getByRole('button').first().click()]);
  const file = path.join(village.dir, 'kept.mp4');
  await saved.saveAs(file);
  const probe = spawnSync('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', file], { encoding: 'utf8' });
  assert.deepEqual([probe.status, probe.stdout.trim()], [0, 'h264'], probe.stderr);
});

step('a package for the police: asked for, watched, fetched, and good by both judges', async () => {
  const form = page.locator('details.export');
  await form.locator('summary').click();
  const [from, to] = [await page.inputValue('#clip-from'), await page.inputValue('#clip-to')];
  await page.fill('#export-from', from);
  await page.fill('#export-to', to);
  const make = form.getByRole('button', { name: vi['export.make'] });
  assert.ok(await make.isDisabled(), 'purpose and officer are missing');
  await page.fill('[name=export-purpose]', 'xác minh vụ va quẹt');
  await page.fill('[name=export-officer]', 'Đại úy Trần Văn Tư');
  await page.fill('[name=export-authority]', 'Công an xã');
  await make.click();
  const made = form.locator('[data-export][data-state=done]');
  await made.waitFor({ timeout: 60_000 });
  await made.scrollIntoViewIfNeeded();
  await page.screenshot({ path: path.join(screens, 'export.png') });
  const [saved] = await Promise.all([page.waitForEvent('download'), made.getByRole('button').first().click()]);
  assert.match(saved.suggestedFilename(), /^matthon-[0-9a-f-]{36}\.zip$/);
  const file = path.join(village.dir, 'package.zip');
  await saved.saveAs(file);
  const said = spawnSync(path.join(village.bin, 'matthon'), ['verify', file], { encoding: 'utf8' });
  assert.equal(said.status, 0, said.stdout + said.stderr);
  assert.match(said.stdout, /Thôn Duyên Hy/);
  // The page out of the package itself, from the disk and without a network.
  const inside = path.join(village.dir, 'package');
  const unpacked = spawnSync('python3', ['-m', 'zipfile', '-e', file, inside], { encoding: 'utf8' });
  assert.equal(unpacked.status, 0, unpacked.stderr);
  const judge = await context.newPage();
  try {
    const heard = listen(judge);
    await judge.goto(pathToFileURL(path.join(inside, 'verify.html')).href);
    await judge.setInputFiles('input[type=file]', file);
    await judge.getByText('Tệp nguyên vẹn, đúng chữ ký của máy Thôn Duyên Hy.').waitFor({ timeout: 60_000 });
    await judge.screenshot({ path: path.join(screens, 'verify.png'), fullPage: true });
    assert.deepEqual(heard, []);
  } finally {
    await judge.close();
  }
  // Fetched, it need not lie in the box: two taps, and it is gone.
  const gone = made.getByRole('button', { name: vi['export.delete'], exact: true });
  await gone.click();
  await made.getByText(vi['export.delete_sure']).waitFor();
  await made.getByRole('button', { name: vi['act.keep_it'] }).click();
  await made.getByText(vi['export.delete_sure']).waitFor({ state: 'detached' });
  await gone.click();
  await made.getByText(vi['export.delete_sure']).waitFor();
  await page.screenshot({ path: path.join(screens, 'export-delete.png') });
  await gone.click();
  await form.locator('[data-export][data-state=gone]').getByText(vi['export.gone']).waitFor();
});

step('H.265 recordings: the sub stream plays, and the page says so', async () => {
  const plays = await page.evaluate(() => document.createElement('video').canPlayType('video/mp4; codecs="hvc1.1.6.L93.B0"') !== '');
  await page.selectOption('.pick select', MARKET[0]);
  await page.locator(`.playback[data-camera=${MARKET[0]}] .viewer[data-status=ready][data-stream=${plays ? 'main' : 'sub'}]`).waitFor();
  if (!plays) await page.getByText(vi['play.sub_used'].replace('{codec}', 'H.265')).waitFor();
});

step('a camera is lost, named, and found again without reloading', async () => {
  await page.goto(village.url);
  await advance(page, [0, 1, 2, 3]);
  await page.evaluate(() => { window.samePage = true; });
  await village.say(`drop ${HALL[0]}`);
  const lost = page.locator(`${tile(HALL[0])}:not([data-cover=none])`);
  await lost.waitFor();
  const states = Object.keys(vi).filter((key) => /^cam\.[a-z-]+$/.test(key) && key !== 'cam.ok').map((key) => vi[key]);
  const named = () => until('its state is named', async () => {
    const text = await page.locator(`${tile(HALL[0])} .cover-text`).textContent({ timeout: 1000 }).catch(() => null);
    return states.includes(text) && text;
  });
  await named();
  await advance(page, [0, 1, 2], 5);
  await named();
  await page.getByText(vi['live.count'].replace('{n}', '3').replace('{m}', '4')).waitFor();
  await shoot(page, 'live-camera-lost');
  await village.say(`up ${HALL[0]}`);
  await page.locator(`${tile(HALL[0])}[data-cover=none]`).waitFor({ timeout: 60_000 });
  await advance(page, [0, 1, 2, 3]);
  assert.equal(await page.evaluate(() => window.samePage), true);
});

step('what is seen is kept: a case by hand, with its picture and its clip', async () => {
  await page.goto(`${village.url}/camera/${GATE[0]}`);
  await page.locator('section.camera[data-cover=none]').waitFor();
  await page.getByRole('button', { name: vi['make.title'] }).click();
  await page.fill('.make-case textarea', NOTE);
  await shoot(page, 'case-by-hand');
  await page.click('.make-case button[type=submit]');
  await page.locator('section.case[data-state=raised]').waitFor();
  await page.getByText(NOTE).first().waitFor();
  // The picture of the main stream takes the worker; the whole clip takes the ten seconds after the tap.
  await page.locator('section.case[data-still=main]').waitFor({ timeout: 60_000 });
  await until('the picture is shown', () => page.evaluate(() => document.querySelector('.still-picture img')?.naturalWidth === 1280));
  await page.locator('section.case[data-clip=done]').waitFor({ timeout: 60_000 });
  await until('the clip can be played', async () => (await videos(page))[0]?.width === 1280);
  await page.evaluate(() => document.querySelector('.case-clip video').play());
  await advance(page, [0], 1);
  await page.evaluate(() => document.querySelector('.case-clip video').pause());
  await page.locator('.tabs [data-todo="1"]').waitFor();
  await shoot(page, 'case');
});

step('“Đúng”, taken back, “Báo sai”: by finger and by key, and every step is written down', async () => {
  const state = (name) => page.locator(`section.case[data-state=${name}]`).waitFor();
  await page.getByRole('button', { name: vi['act.confirm'], exact: true }).click();
  await state('confirmed');
  await page.getByRole('button', { name: vi['act.undo_plain'] }).waitFor();
  await shoot(page, 'case-undo');
  await page.getByRole('button', { name: vi['act.undo_plain'] }).click();
  await state('raised');
  await page.keyboard.press('2');
  await state('false-alarm');
  await page.locator('.tabs .badge').waitFor({ state: 'detached' });
  await until('four lines of history', async () => (await page.locator('.history li').count()) === 4);
  // Held with a tap, and let go: both are written down.
  await page.getByRole('button', { name: vi['keep.hold'], exact: true }).click();
  await page.getByText(vi['case.held'], { exact: true }).waitFor();
  await page.getByRole('button', { name: vi['keep.let_go'], exact: true }).click();
  await until('six lines of history', async () => (await page.locator('.history li').count()) === 6);
});

step('the list: nothing waits, and everything is still there', async () => {
  await page.keyboard.press('Escape');
  await page.getByText(vi['inbox.empty']).waitFor();
  await page.getByRole('link', { name: vi['cases.all'], exact: true }).click();
  await page.locator('.case-row[data-state=false-alarm]').waitFor();
  await page.getByText(NOTE).waitFor();
  await shoot(page, 'cases');
  // Without a model the page says so calmly; with one it has nothing to say.
  const { vision } = await page.evaluate(() => fetch('/api/v1/status').then((r) => r.json()));
  assert.equal(await page.locator('.cases [data-vision=no-model]').count(), vision.state === 'no-model' ? 1 : 0);
});

step('a case made elsewhere appears by itself', async () => {
  await page.goto(`${village.url}/vu-viec`);
  await page.getByText(vi['inbox.empty']).waitFor();
  const made = await page.evaluate((camera) => fetch('/api/v1/cases', { method: 'POST', body: JSON.stringify({ camera }) }).then((r) => r.json()), MARKET[0]);
  await page.locator(`.case-row[data-case="${made.id}"]`).waitFor();
  await page.locator('.tabs [data-todo="1"]').waitFor();
});

step('a camera that comes back in another size goes on', async () => {
  await page.goto(`${village.url}/camera/${GATE[0]}`);
  await advance(page, [0]);
  await village.say(`resize ${GATE[0]} 640x360`);
  await until('the picture has the new size', async () => (await videos(page))[0].width === 640, 60_000);
  await advance(page, [0]);
  await village.say(`resize ${GATE[0]} 1280x720`);
  await until('and the old one', async () => (await videos(page))[0].width === 1280, 60_000);
  await advance(page, [0]);
});

step('devices: every stream with its numbers', async () => {
  await page.getByRole('navigation').getByText(vi['nav.devices']).click();
  for (const [id, name] of CAMERAS) {
    const card = page.locator(`[data-device=${id}]`);
    assert.equal(await card.locator('h3').textContent(), name);
    await until(`${id} works`, async () => (await card.locator('.state.good').count()) === 2, 30_000);
  }
  await page.locator(`[data-device=${MARKET[0]}]`).getByText(vi['note.h265']).waitFor();
  await page.locator('[data-ring=main]').getByText(vi['ring.ok.word']).waitFor();
  await page.locator('[data-evidence=roomy]').getByText(vi['evidence.roomy.word']).waitFor();
  // The day's fingerprint to be read out, and who saw what: all of this test's own steps.
  await page.locator('.trust .spoken').waitFor({ timeout: 90_000 });
  assert.match(await page.locator('.trust .spoken').textContent(), /^\S+ \S+ \S+ \S+$/);
  await page.locator('details.audit summary').click();
  for (const what of ['kept', 'export', 'export-taken', 'export-deleted', 'live', 'playback']) await page.locator(`.audit [data-what=${what}]`).first().waitFor();
  await page.locator(`[data-device=${GATE[0]}] summary`).first().click();
  await page.locator(`[data-device=${GATE[0]}]`).getByText('1280×720').first().waitFor();
  await shoot(page, 'devices');
});

step('the other language, remembered', async () => {
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('navigation').getByText(en['nav.devices']).waitFor();
  await page.reload();
  await page.getByRole('navigation').getByText(en['nav.playback']).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
  await shoot(page, 'devices-en');
  await page.getByRole('button', { name: 'Tiếng Việt' }).click();
  await page.getByRole('navigation').getByText(vi['nav.devices']).waitFor();
});

step('the keyboard alone opens a camera and comes back', async () => {
  await page.goto(village.url);
  await page.locator(`${tile(GATE[0])} .hit`).focus();
  await page.keyboard.press('Enter');
  await page.locator('section.camera').waitFor();
  await page.keyboard.press('Escape');
  await page.locator(tile(GATE[0])).waitFor();
});

for (const [name, colorScheme, scale] of [['phone', 'light', 100], ['dark', 'dark', 130]]) {
  step(`a phone, ${colorScheme}, letters at ${scale} %`, async () => {
    const phone = await browser.newContext({ ...PHONE, colorScheme, locale: 'vi-VN', storageState: await context.storageState() });
    try {
      const view = await phone.newPage();
      view.setDefaultTimeout(20_000);
      const heard = listen(view);
      const grow = () => view.evaluate((percent) => { document.documentElement.style.fontSize = `${percent}%`; }, scale);
      await view.goto(village.url);
      await advance(view, [0, 1, 2, 3]);
      await grow();
      assert.deepEqual(await misfits(view), []);
      await shoot(view, name);
      await view.tap(`${tile(GATE[0])} .hit`);
      await view.locator('section.camera[data-cover=none]').waitFor();
      await advance(view, [0]);
      assert.deepEqual(await misfits(view), []);
      await shoot(view, `${name}-big`);
      await view.goto(`${village.url}/xem-lai/${GATE[0]}`);
      await view.locator('.viewer[data-status=ready]').waitFor();
      await advance(view, [0], 0.5);
      await grow();
      assert.deepEqual(await misfits(view), []);
      await shoot(view, `${name}-playback`);
      await view.goto(`${village.url}/vu-viec?tat-ca`);
      await view.locator('.case-row').first().waitFor();
      await grow();
      assert.deepEqual(await misfits(view), []);
      await shoot(view, `${name}-cases`);
      await view.tap('.case-row[data-state=raised]');
      await view.locator('section.case').waitFor();
      await grow();
      assert.deepEqual(await misfits(view), []);
      await shoot(view, `${name}-case`);
      await view.goto(`${village.url}/thiet-bi`);
      await view.locator('[data-device]').first().waitFor();
      await grow();
      assert.deepEqual(await misfits(view), []);
      await shoot(view, `${name}-devices`);
      assert.deepEqual(heard, []);
    } finally {
      await phone.close();
    }
  });
}

step('a session that ends leads to the login page and back to where one was', async () => {
  await page.goto(`${village.url}/thiet-bi`);
  await page.locator('[data-device]').first().waitFor();
  await context.clearCookies();
  await page.getByText(vi['err.session']).waitFor();
  forgive(REFUSED);
  await page.fill('input[name=username]', USER.name);
  await page.fill('input[name=password]', USER.password);
  await page.keyboard.press('Enter');
  await page.locator('[data-device]').first().waitFor();
  assert.equal(new URL(page.url()).pathname, '/thiet-bi');
});

step('signing out', async () => {
  await page.locator('.account summary').click();
  await page.getByRole('button', { name: vi['login.out'] }).click();
  await page.locator('input[name=password]').waitFor();
  assert.equal((await context.cookies()).length, 0);
});
