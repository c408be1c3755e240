// A case on a phone: signed up by a tap, sealed by the box, opened by a push service of our own, shown by the service worker, led to the case.
// Chromium's own push service is out of reach here, so the page's question to it is answered by the test; all else is real.
import assert from 'node:assert/strict';
import path from 'node:path';
import { skipping, vi } from './chrome.mjs';
import { PushService } from './push-service.mjs';
import { until } from './until.mjs';
import { CAMERAS, USER } from './village.mjs';
import { PHONE, open, signIn, stay, story } from './visit.mjs';
import { misfits } from './watch.mjs';

const skip = skipping('push');
const [GATE] = CAMERAS;
const NOTE = 'Xe tải đỗ chắn cổng';

let village;
let browser;
let service;
let context;
let page;
const complaints = [];
let screens;
let worker;

stay(skip, { start: { push: true }, leave: () => service?.stop() }, async (here) => {
  ({ village, browser, screens } = here);
  service = await PushService.start();
  context = await browser.newContext(PHONE);
  await context.grantPermissions(['notifications'], { origin: village.url });
  await context.addInitScript(answerForThePushService, service.subscription('phone'));
  page = await open(context, complaints);
});

/** In the page: what a push service would answer; kept as a browser keeps it, until it is given up. */
function answerForThePushService(subscription) {
  const made = () => {
    const key = localStorage.getItem('test.key');
    if (key === null) return null;
    const bytes = Uint8Array.from(atob(key.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    return {
      options: { applicationServerKey: bytes.buffer },
      toJSON: () => subscription,
      unsubscribe: async () => { localStorage.removeItem('test.key'); return true; },
    };
  };
  PushManager.prototype.getSubscription = async () => made();
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || typeof applicationServerKey !== 'string') throw new Error('not as browsers want it');
    localStorage.setItem('test.key', applicationServerKey);
    return made();
  };
}

const step = story(skip, { complaints, told: () => ({ pages: { page }, village }), also: () => assert.deepEqual(service.wrong, []) });

const api = (method, url, body) => page.evaluate(async ([m, u, b]) => {
  const answer = await fetch(`/api/v1/${u}`, { method: m, ...(b ? { body: JSON.stringify(b), headers: { 'Content-Type': 'application/json' } } : {}) });
  return answer.status === 204 ? null : answer.json();
}, [method, url, body]);

const shown = () => page.evaluate(async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  const all = await registration.getNotifications();
  return all.map(({ title, body, tag, data, silent, actions, image }) => ({ title, body, tag, data, silent, image, actions: [...(actions ?? [])].map((a) => a.action) }));
});

/** Hands a message to the service worker as a push service would. */
async function deliver(data) {
  const cdp = await context.newCDPSession(page);
  const found = new Promise((done) => {
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const one = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${village.url}/` && !isDeleted);
      if (one) done(one.registrationId);
    });
  });
  await cdp.send('ServiceWorker.enable');
  await cdp.send('ServiceWorker.deliverPushMessage', { origin: village.url, registrationId: await found, data });
  await cdp.detach();
}

/** Taps on what is shown under a tag. No browser lets a script do it: the event is made, and what it waits for is waited for. */
const tap = (tag, action) => worker.evaluate(async ([tag, action]) => {
  const [notification] = await self.registration.getNotifications({ tag });
  const event = new NotificationEvent('notificationclick', { notification, action });
  const waits = [];
  Object.defineProperty(event, 'waitUntil', { value: (promise) => waits.push(promise) });
  self.dispatchEvent(event);
  await Promise.all(waits);
}, [tag, action]);

step('one tap signs this phone up', async () => {
  await page.goto(`${village.url}/vu-viec`);
  await signIn(page);
  const card = page.locator('.push-card[data-push=granted]');
  await card.waitFor();
  complaints.splice(0);
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'push-ask.png') });
  service.vapid = (await api('GET', 'push')).key;
  await card.getByRole('button', { name: vi['push.turn_on'] }).click();
  await page.locator('.push-card[data-push=on]').getByText(vi['push.is_on']).waitFor();
  const { phones } = await api('GET', 'push');
  assert.equal(phones.length, 1);
  assert.match(phones[0].label, /Chrome, /);
  worker = await until('the service worker runs', () => context.serviceWorkers()[0]);
  assert.equal(new URL(worker.url()).pathname, '/sw.js');
});

let told;
step('a case comes sealed, and is shown in one sentence', async () => {
  const made = await api('POST', 'cases', { camera: GATE[0], note: NOTE });
  told = await until('the box hands it over', () => service.got.find(({ id }) => id === made.id));
  assert.match(told.sentence, new RegExp(`^${GATE[1]} – cán bộ ghi lại: ${NOTE} – \\d\\d:\\d\\d$`));
  await deliver(JSON.stringify(told));
  const [one] = await until('it is shown', async () => {
    const all = await shown();
    return all.length > 0 && all;
  });
  assert.deepEqual([one.title, one.body, one.tag, one.actions], ['Thôn Duyên Hy', told.sentence, `case-${made.id}`, ['seen', 'open']]);
});

step('its picture follows, by one look that stands in the log', async () => {
  const [one] = await until('the picture is in it', async () => {
    const all = await shown();
    return all[0]?.image && all;
  }, 60_000);
  assert.match(one.image, /^data:image\/jpeg;base64,\/9j\//);
  assert.deepEqual([one.body, one.silent], [told.sentence, true], 'it rings once');
  const { rows } = await api('GET', 'audit?limit=50');
  const looks = rows.filter(({ what, detail }) => what === 'evidence' && detail === 'push');
  assert.deepEqual(looks.map(({ who, subject }) => [who, subject]), [[USER.name, String(told.id)]]);
  assert.equal((await fetch(`${village.url}${told.image}`)).status, 404);
});

step('a tap opens the case in the page that is there', async () => {
  await tap(`case-${told.id}`, '');
  await page.waitForURL(`${village.url}/vu-viec/${told.id}`);
  await page.locator(`section.case[data-case="${told.id}"]`).waitFor();
  assert.deepEqual(await shown(), [], 'what was tapped is gone');
});

step('“Đã xem” on the notification stands on the case', async () => {
  await deliver(JSON.stringify(told));
  await until('it is shown again', async () => (await shown()).length === 1);
  await tap(`case-${told.id}`, 'seen');
  await page.locator('.seen-by').getByText(USER.name).waitFor();
  assert.equal(await page.getByRole('button', { name: vi['push.seen'], exact: true }).count(), 0);
  assert.deepEqual(await misfits(page), []);
  await page.screenshot({ path: path.join(screens, 'push-seen.png') });
});

step('an answer replaces it quietly, and what cannot be read is shown all the same', async () => {
  await deliver(JSON.stringify(told));
  await deliver(JSON.stringify({ ...told, open: false, sentence: 'đã xác nhận' }));
  const [one, ...more] = await until('it is replaced', async () => {
    const all = await shown();
    return all.some(({ body }) => body === 'đã xác nhận') && all;
  });
  assert.deepEqual([one.silent, one.actions, more], [true, [], []]);
  await deliver('{');
  await until('a word for what cannot be read', async () => (await shown()).some(({ body }) => body === vi['push.fallback']));
});

step('opening the page renews it, and turning it off ends it', async () => {
  const [before] = (await api('GET', 'push')).phones;
  await page.goto(`${village.url}/vu-viec`);
  const [renewed] = await until('it is renewed', async () => {
    const { phones } = await api('GET', 'push');
    return phones[0]?.renewed > before.renewed && phones;
  });
  assert.equal(renewed.id, before.id);
  await page.locator('.push-card[data-push=on]').getByRole('button', { name: vi['push.turn_off'] }).click();
  await page.locator('.push-card[data-push=granted]').waitFor();
  await until('the box tells it no more', async () => (await api('GET', 'push')).phones.length === 0);
  await page.locator('.push-card').getByRole('button', { name: vi['push.turn_on'] }).click();
  await page.locator('.push-card[data-push=on]').waitFor();
});

step('where it cannot be turned on, the page says why', async () => {
  const state = await context.storageState();
  const agents = [
    ['Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36 Zalo android/12', 'zalo.inapp'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile/15E148 Safari/604.1', 'push.iphone'],
    [undefined, 'push.denied'],
  ];
  for (const [userAgent, key] of agents) {
    const other = await browser.newContext({ ...PHONE, storageState: state, ...(userAgent ? { userAgent } : {}) });
    try {
      const view = await other.newPage();
      if (!userAgent) await view.addInitScript(() => Object.defineProperty(Notification, 'permission', { get: () => 'denied' }));
      await view.goto(`${village.url}/vu-viec`);
      await view.locator('.push-card').getByText(vi[key]).waitFor({ timeout: 20_000 });
      assert.equal(await view.locator('.push-card button').count(), 0, key);
      assert.deepEqual(await misfits(view), []);
    } finally {
      await other.close();
    }
  }
});

step('the page can be put on a home screen', async () => {
  const sizes = await page.evaluate(async () => {
    const manifest = await (await fetch(document.querySelector('link[rel=manifest]').href)).json();
    const size = (src) => new Promise((done, fail) => {
      const image = new Image();
      image.onload = () => done(image.naturalWidth);
      image.onerror = fail;
      image.src = src;
    });
    const icons = manifest.icons.filter(({ type }) => type === 'image/png');
    return [manifest.display, ...(await Promise.all(icons.map(async ({ src, sizes }) => sizes === `${await size(src)}x${await size(src)}`))), await size('/icon-apple-180.png'), await size('/badge-96.png')];
  });
  assert.deepEqual(sizes, ['standalone', true, true, true, 180, 96]);
});

step('who signs out is not told any more', async () => {
  await page.locator('.account summary').click();
  await page.getByRole('button', { name: vi['login.out'] }).click();
  await page.locator('input[name=password]').waitFor();
  await page.fill('input[name=username]', USER.name);
  await page.fill('input[name=password]', USER.password);
  await page.keyboard.press('Enter');
  await page.locator('.push-card[data-push=granted]').waitFor();
  assert.equal((await api('GET', 'push')).phones.length, 0);
});
