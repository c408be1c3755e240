// What this browser can do about being told, and what somebody must do first. Pure.

import { insideZalo } from '../zalo';

export interface Browser {
  /** HTTPS, or the box itself. */
  secure: boolean;
  agent: string;
  /** More than a mouse: iPads call themselves Macs. */
  touch: boolean;
  /** Opened from the home screen. */
  standalone: boolean;
  /** Has service workers, push and notifications. */
  able: boolean;
  permission: 'default' | 'denied' | 'granted' | null;
}

/** `zalo`, `insecure`, `iphone`, `unsupported`, `denied`: not here, for that reason. `ask`: a tap turns it on. `granted`: it may be on. */
export type Standing = 'zalo' | 'insecure' | 'iphone' | 'unsupported' | 'denied' | 'ask' | 'granted';

export function standingOf({ secure, agent, touch, standalone, able, permission }: Browser): Standing {
  if (insideZalo(agent)) return 'zalo';
  if (!secure) return 'insecure';
  // An iPhone or iPad has push only for what was put on its home screen.
  if ((/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touch)) && !standalone) return 'iphone';
  if (!able || permission === null) return 'unsupported';
  if (permission === 'denied') return 'denied';
  return permission === 'granted' ? 'granted' : 'ask';
}

/** What people call this browser in a list: `Chrome, Android`. */
export function labelOf(agent: string): string {
  const first = (table: readonly (readonly [RegExp, string])[]) => table.find(([shape]) => shape.test(agent))?.[1];
  const browser = first([[/Edg/, 'Edge'], [/OPR|Opera/, 'Opera'], [/SamsungBrowser/, 'Samsung'], [/coc_coc/i, 'Coc Coc'], [/Firefox|FxiOS/, 'Firefox'], [/Chrome|CriOS/, 'Chrome'], [/Safari/, 'Safari']]);
  const system = first([[/Android/, 'Android'], [/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Windows/, 'Windows'], [/Macintosh/, 'Mac'], [/Linux/, 'Linux']]);
  return [browser, system].filter((part) => part !== undefined).join(', ');
}

/** Whether two keys are the same bytes; a browser gives its own as bytes, the box as base64url. */
export function sameKey(own: ArrayBuffer | null, key: string): boolean {
  if (own === null) return false;
  const text = String.fromCharCode(...new Uint8Array(own));
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') === key;
}
