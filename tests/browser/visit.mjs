// What the tests of a village's pages begin and end with: the village and a browser, phones, the login, steps that follow each other.
// Does not belong here: how either is started (village.mjs, chrome.mjs), and what pages show (watch.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, screensOf } from './chrome.mjs';
import { USER, Village } from './village.mjs';
import { listen } from './watch.mjs';

export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: 'vi-VN' };

/**
 * A village and a browser for all tests of a file, both gone afterwards. `enter` is given them and does what comes before the first test, `leave` what comes after the last.
 * `start`: what kind of village; `switches`: the browser's.
 */
export function stay(skip, { start = {}, switches = [], leave = () => undefined }, enter) {
  let village;
  let browser;
  before(async () => {
    if (skip) return;
    village = await Village.start(start);
    const screens = screensOf(village);
    browser = await launch(switches);
    await enter({ village, browser, screens });
  });
  after(async () => {
    await browser?.close();
    leave();
    const status = await village?.stop();
    if (village) assert.equal(status, 0, 'matthon ends with 0 after SIGTERM');
  });
}

/** A page that waits up to `limit` ms for what it is asked for; what it complains of goes into `complaints`. */
export async function open(context, complaints, limit = 20_000) {
  const page = await context.newPage();
  page.setDefaultTimeout(limit);
  listen(page, complaints);
  return page;
}

/** Gives name and password to the page that asks for them. */
export async function signIn(page, password = USER.password) {
  await page.fill('input[name=username]', USER.name);
  await page.fill('input[name=password]', password);
  await page.click('button[type=submit]');
}

/** What a phone keeps that signed in once. */
export async function loginOf(browser, village) {
  const context = await browser.newContext(PHONE);
  const page = await context.newPage();
  await page.goto(village.url);
  await signIn(page);
  await page.locator('.grid').waitFor();
  const login = await context.storageState();
  await context.close();
  return login;
}

/** What pages show and the server wrote, for whoever looks for why a test failed. `pages`: by what they are called. */
export async function tell(pages, village) {
  for (const [name, page] of Object.entries(pages)) {
    const text = await page?.evaluate(() => document.body.innerText).catch(() => '');
    console.error(`--- ${name}\n${page?.url()}\n${text}`);
  }
  console.error(`--- log\n${village.log()}`);
}

/**
 * Steps that follow each other: after a failure the rest has no ground. `told`: pages to show and the village, when one fails. `complaints`: what browsers
 * complained of, to be nothing after each step but what `provoked` takes for told on purpose. `also`: what must hold besides.
 */
export function story(skip, { told, complaints, provoked = () => false, also = () => undefined }) {
  let broken = null;
  return (name, run) => test(name, { skip }, async () => {
    if (broken) assert.fail(`not run: “${broken}” failed before it`);
    try {
      await run();
      assert.deepEqual(complaints.splice(0).filter((one) => !provoked(one)), [], 'the browser complained');
      also();
    } catch (error) {
      broken = name;
      const { pages, village } = told();
      console.error(`--- browser\n${JSON.stringify(complaints)}`);
      await tell(pages, village);
      throw error;
    }
  });
}
