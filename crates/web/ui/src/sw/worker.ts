// The part of the page that lives without it: shows what the box tells this phone, and leads a tap to the case.
// It keeps no files and answers no requests: the page itself always comes from the box.

import { noticeOf, type Notice, type Words } from './notice';

declare const self: ServiceWorkerGlobalScope;
/** The few words it needs, put in by the build. */
declare const WORDS: Words;

self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  const notice = noticeOf(event.data ? event.data.text() : null, WORDS);
  event.waitUntil(show(notice));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { url, id } = event.notification.data as Pick<Notice, 'url' | 'id'>;
  // Signed out meanwhile, or no network: then the page says so.
  event.waitUntil(event.action === 'seen' && id !== null ? seen(id).catch(() => open(url)) : open(url));
});

self.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(renew(event as PushSubscriptionChangeEvent)));

interface PushSubscriptionChangeEvent extends ExtendableEvent {
  oldSubscription?: PushSubscription | null;
  newSubscription?: PushSubscription | null;
}

async function show(notice: Notice): Promise<void> {
  const { title, body, tag, lang, url, id } = notice;
  const plain = { body, tag, lang, data: { url, id }, icon: '/icon-192.png', badge: '/badge-96.png' };
  const rich = { ...plain, actions: notice.actions, silent: !notice.open, ...(notice.at === null ? {} : { timestamp: notice.at }) };
  // First the sentence: a browser that is given a picture's address shows nothing until it has the picture.
  try {
    await self.registration.showNotification(title, rich as NotificationOptions);
  } catch {
    await self.registration.showNotification(title, plain);
    return;
  }
  if (notice.image === null || !('image' in Notification.prototype)) return;
  const image = await picture(notice.image).catch(() => null);
  // Tapped or wiped away meanwhile: it must not come back.
  const there = await self.registration.getNotifications({ tag });
  if (image !== null && there.length > 0) await self.registration.showNotification(title, { ...rich, silent: true, image } as NotificationOptions);
}

/** How often a picture is asked for that is still being made; each time the box waits some seconds for it. */
const LOOKS = 3;

/** The picture in the notice itself: its address is good for one look. */
async function picture(address: string, looks = LOOKS): Promise<string | null> {
  const answer = await fetch(address, { credentials: 'omit' });
  if (!answer.ok) {
    const { kind } = (await answer.json()) as { kind?: unknown };
    return kind === 'no-evidence' && looks > 1 ? picture(address, looks - 1) : null;
  }
  const bytes = new Uint8Array(await answer.arrayBuffer());
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return `data:image/jpeg;base64,${btoa(text)}`;
}

async function seen(id: number): Promise<void> {
  const answer = await fetch(`/api/v1/cases/${id}/seen`, { method: 'POST', credentials: 'same-origin' });
  if (!answer.ok) throw new Error(`${answer.status}`);
}

/** Shows the case in the page that is open, or opens one. */
async function open(url: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages.find((one) => one.focused) ?? pages.find((one) => one.visibilityState === 'visible') ?? pages[0];
  if (!page) {
    await self.clients.openWindow(url);
    return;
  }
  page.postMessage({ open: url });
  // Some browsers bring a page to the front only right after a tap.
  await page.focus().catch(() => undefined);
}

/** The push service gave this browser another address: the box must know it, or tells nobody. */
async function renew(event: PushSubscriptionChangeEvent): Promise<void> {
  const ask = async (method: string, body?: unknown) => {
    const init: RequestInit = { method, credentials: 'same-origin' };
    if (body !== undefined) Object.assign(init, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    return fetch('/api/v1/push', init);
  };
  const key = event.oldSubscription?.options.applicationServerKey ?? ((await (await ask('GET')).json()) as { key: string | null }).key;
  if (key === null) return;
  const fresh = event.newSubscription ?? (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  await ask('POST', fresh.toJSON());
}
