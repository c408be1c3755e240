// This browser's place among those that are told of cases: signed up by a tap, renewed at every opening, given up at signing out.

import { get, post, remove } from '../api';
import { go } from '../router';
import { Signal } from '../signal';
import { recall, remember } from '../storage';
import { sameKey, standingOf, labelOf, type Standing } from './standing';

interface Offer {
  offered: boolean;
  key: string | null;
  phones: { id: number }[];
}

export interface Told {
  /** The box tells phones; null until known. */
  offered: boolean | null;
  standing: Standing;
  /** The number under which the box tells this browser; null: it does not. */
  id: number | null;
}

export const told = new Signal<Told>({ offered: null, standing: look(), id: null });

/** What this device remembers: that somebody turned it on here. */
const WISH = 'push';

function look(): Standing {
  const ios = (navigator as { standalone?: boolean }).standalone;
  return standingOf({
    secure: window.isSecureContext,
    agent: navigator.userAgent,
    touch: navigator.maxTouchPoints > 1,
    standalone: ios === true || window.matchMedia('(display-mode: standalone)').matches,
    able: 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window,
    permission: 'Notification' in window ? Notification.permission : null,
  });
}

function note(change: Partial<Told>): void {
  told.set({ ...told.value, ...change, standing: look() });
}

/** Hears where a tap on a notification leads. Answers how to stop. */
export function followTaps(): () => void {
  if (!('serviceWorker' in navigator)) return () => undefined;
  const heard = ({ data }: MessageEvent) => {
    const path: unknown = data && (data as { open?: unknown }).open;
    if (typeof path === 'string' && /^\/vu-viec(\/\d+)?$/.test(path)) go(path);
  };
  navigator.serviceWorker.addEventListener('message', heard);
  return () => navigator.serviceWorker.removeEventListener('message', heard);
}

/** At every opening: addresses die after days, above all those of iPhones. */
export async function renew(language: string): Promise<void> {
  const { offered, key } = await get<Offer>('push');
  note({ offered });
  if (key === null || look() !== 'granted' || recall(WISH) !== 'on') return;
  await signUp(key, language);
}

/** From a tap alone: browsers ask the person only then. */
export async function turnOn(language: string): Promise<void> {
  const permission = await Notification.requestPermission();
  note({});
  if (permission !== 'granted') return;
  const { offered, key } = await get<Offer>('push');
  note({ offered });
  if (key === null) return;
  await signUp(key, language);
  remember(WISH, 'on');
}

export async function turnOff(): Promise<void> {
  remember(WISH, 'off');
  const { id } = told.value;
  note({ id: null });
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe();
  if (id !== null) await remove(`push?id=${id}`);
}

/** Whoever signs out here is not told here. What fails must not keep anybody in. */
export async function leave(): Promise<void> {
  if (told.value.id !== null) await turnOff().catch(() => undefined);
}

async function signUp(key: string, language: string): Promise<void> {
  await navigator.serviceWorker.register('/sw.js');
  const { pushManager } = await navigator.serviceWorker.ready;
  let subscription = await pushManager.getSubscription();
  // The box has another key: restored without its own, or another box under this name.
  if (subscription && !sameKey(subscription.options.applicationServerKey, key)) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription = subscription ?? (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { id } = await post<{ id: number }>('push', { ...subscription.toJSON(), label: labelOf(navigator.userAgent), language });
  note({ id });
}
