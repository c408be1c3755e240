// The demo in a real browser: drawn streets seen live, a panel that says what comes, and the story's cases by themselves.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { skipping, vi } from './chrome.mjs';
import { until } from './until.mjs';
import { DEMO } from './village.mjs';
import { open, signIn, stay } from './visit.mjs';
import { misfits, videos } from './watch.mjs';

const skip = skipping('browser-demo');

let village;
let page;
let screens;
const complaints = [];

stay(skip, { start: { demo: true } }, async (here) => {
  ({ village, screens } = here);
  page = await open(await here.browser.newContext({ viewport: { width: 1280, height: 960 }, locale: 'vi-VN' }), complaints);
});

const shoot = async (name) => {
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: path.join(screens, `${name}.png`) });
};

test('the story is announced, and its cases appear by themselves', { skip }, async () => {
  await page.goto(village.url);
  await signIn(page);
  await page.locator('.coming').waitFor();
  assert.equal(await page.locator('.coming h2').textContent(), vi['demo.title']);
  // Nobody is signed in on the first page: the browser tells of that refusal.
  for (let i = complaints.length - 1; i >= 0; i -= 1) if (/status of 401/.test(complaints[i].text)) complaints.splice(i, 1);
  await until('four drawn streets are live', async () => {
    const now = await videos(page);
    return now.length === DEMO.length && now.every((v) => v.width > 0 && v.frames > 5);
  }, 40_000);
  // The panel counts down, the soonest first.
  const waits = () => page.locator('.coming li').evaluateAll((rows) => rows.map((row) => Number(row.dataset.wait)));
  const first = await waits();
  assert.deepEqual(first, [...first].sort((a, b) => a - b));
  await until('the panel counts down', async () => (await waits()).join() !== first.join(), 10_000);
  await shoot('demo');
  assert.deepEqual(await misfits(page), []);

  const told = async () => page.evaluate(async () => (await (await fetch('/api/v1/cases?state=raised')).json()).cases.map((c) => `${c.camera} ${c.kind}`).sort());
  await until('both cases of the story', async () => (await told()).length >= 2, 100_000);
  assert.deepEqual(await told(), ['cho no-parking', 'cong-lang wrong-way']);
  await page.click('nav.tabs a[href*="cases"], nav.tabs a:nth-child(2)');
  await page.getByText(vi['kind.no-parking']).first().waitFor();
  await page.getByText(vi['kind.wrong-way']).first().waitFor();
  await until('their pictures are there', () => page.locator('img').evaluateAll((all) => all.filter((i) => i.complete && i.naturalWidth > 64).length >= 2), 40_000);
  await shoot('demo-cases');
  assert.deepEqual(complaints, [], 'the browser complained');
});

test('what came by is found again, with what for', { skip }, async () => {
  await page.getByRole('link', { name: vi['nav.search'], exact: true }).click();
  await page.locator('.search form').waitFor();
  const find = page.getByRole('button', { name: vi['nav.search'] });
  assert.ok(await find.isDisabled(), 'without saying what for nothing is searched');
  await page.click('[data-reason="find.reason_case"]');
  await page.fill('input[name=from]', '00:00');
  await page.selectOption('select[name=camera]', 'cong-lang');
  const results = () => page.locator('[data-found]').evaluateAll((all) => all.map((one) => one.dataset.found));
  // The rider against the one-way street is gone by now, or soon.
  await page.click('[data-chip=motorcycle]');
  await until('a motorcycle is found', async () => {
    await find.click();
    return (await results()).length > 0;
  }, 60_000);
  assert.ok((await results()).every((found) => found === 'motorcycle'));
  await until('its picture is there', () => page.locator('.found-picture img').first().evaluate((img) => img.complete && img.naturalWidth > 64), 40_000);
  assert.deepEqual(await misfits(page), []);
  await shoot('search');
  await page.locator('.found-list').scrollIntoViewIfNeeded();
  await page.screenshot({ path: path.join(screens, 'search-found.png') });
  await page.setViewportSize({ width: 390, height: 844 });
  assert.deepEqual(await misfits(page), []);
  await shoot('search-phone');
  await page.setViewportSize({ width: 1280, height: 960 });
  // What never was is said to be nothing; and both questions stand in the log, with their purpose.
  await page.click('[data-chip=motorcycle]');
  await page.click('[data-chip=bicycle]');
  await find.click();
  await page.getByText(vi['find.none'], { exact: true }).waitFor();
  const log = await page.evaluate(async () => (await (await fetch('/api/v1/audit?limit=200')).json()).rows.filter((row) => row.what === 'searched'));
  assert.ok(log.length >= 2 && log.every((row) => row.who && row.detail.startsWith(`Xác minh vụ việc; from=`) && row.subject === 'cong-lang'), JSON.stringify(log));
  // A tap on what was found plays its moment.
  await page.click('[data-chip=bicycle]');
  await page.click('[data-chip=motorcycle]');
  await find.click();
  await page.locator('[data-found]').first().click();
  await page.locator('.viewer[data-status=ready]').waitFor();
  // Beside it another camera, at the same time.
  await page.selectOption('select[name=beside]', 'cho');
  await until('both pictures show one moment and go on', async () => {
    const [first, second] = await page.evaluate(() => [Number(document.querySelector('.viewer').dataset.wall), Number(document.querySelector('.second').dataset.wall)]);
    return second > 0 && Math.abs(first - second) < 700;
  }, 40_000);
  await page.locator('.second').scrollIntoViewIfNeeded();
  await shoot('playback-two');
  assert.deepEqual(complaints, [], 'the browser complained');
});
