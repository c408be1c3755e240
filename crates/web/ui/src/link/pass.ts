// What a link to one case lets in: opened once, kept where this browser keeps anything, shown with each request.
//
// Zalo's own browser may refuse storage and cookies. What is kept then is the tab's name, which outlives a reload and no more.

import { ApiError, call, noteServerTime, refusal } from '../api';
import { recall, remember } from '../storage';
import { DEFAULT_ZONE, fromApi, HOUR, type Ms } from '../time';
import type { CaseLinkOpened } from '../types';

export interface Pass {
  /** 0: the box has not answered yet. */
  case: number;
  /** For `Authorization: Bearer`; made up here. */
  secret: string;
  /** In whose name. */
  name: string;
  until: Ms;
  site: string;
  zone: string;
}

const KEPT = 'case-links';
const TAB = 'matthon-case-links:';
/** No link is good for longer. */
const LONGEST: Ms = 12 * HOUR;
/** Names a link among those kept; opens nothing. */
const NAME = 19;

/** The secret behind the `#` of the address; null when there is none. */
export function linkOf(hash: string): string | null {
  const found = /^#(ml_[0-9a-f]{64})$/.exec(hash);
  return found?.[1] ?? null;
}

type Passes = { [link: string]: Pass };

function kept(text: string | null): Passes {
  try {
    const all: unknown = JSON.parse(text ?? '{}');
    return typeof all === 'object' && all !== null ? (all as Passes) : {};
  } catch {
    return {};
  }
}

function alive(all: Passes, now: Ms): Passes {
  const left: Passes = {};
  for (const [link, pass] of Object.entries(all)) if (typeof pass?.secret === 'string' && pass.until > now) left[link] = pass;
  return left;
}

const inTab = () => kept(window.name.startsWith(TAB) ? window.name.slice(TAB.length) : null);

/** What this browser was let in with by that link before. */
export function passOf(link: string, now: Ms = Date.now()): Pass | null {
  const all = alive({ ...kept(recall(KEPT)), ...inTab() }, now);
  return all[link.slice(0, NAME)] ?? null;
}

export function keep(link: string, pass: Pass, now: Ms = Date.now()): void {
  const name = link.slice(0, NAME);
  const text = JSON.stringify({ ...alive(kept(recall(KEPT)), now), [name]: pass });
  remember(KEPT, text);
  if (recall(KEPT) !== text) window.name = TAB + JSON.stringify({ ...alive(inTab(), now), [name]: pass });
}

export type Refused = 'used' | 'over';

/** Why the link lets nobody in; null: something else went wrong. */
export function refusedBecause(error: unknown): Refused | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 410) return error.kind === 'case-link-used' ? 'used' : 'over';
  return error.status === 401 ? 'over' : null;
}

/** What the box is told first of all, kept before it is told: an answer that is lost on its way costs nothing then. */
function begun(link: string): Pass {
  const bytes = window.crypto.getRandomValues(new Uint8Array(32));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const pass = { case: 0, secret: `mc_${hex}`, name: '', until: Date.now() + LONGEST, site: '', zone: DEFAULT_ZONE };
  keep(link, pass);
  return pass;
}

/** Opens the link: this browser is the one from now on. */
export async function open(link: string): Promise<Pass> {
  const { secret } = passOf(link) ?? begun(link);
  const response = await call('POST', 'case-link', { secret: link, browser: secret });
  if (!response.ok) throw await refusal(response);
  const got = (await response.json()) as CaseLinkOpened;
  const pass = { case: got.case, secret, name: got.name, until: fromApi(got.expires) ?? 0, site: got.site.name, zone: got.site.timezone || DEFAULT_ZONE };
  keep(link, pass);
  return pass;
}

/** Asks something of the case: `''`, `/answer`, … */
export async function ask<T extends { now?: unknown }>(pass: Pass, method: 'GET' | 'POST', what: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await call(method, `cases/${pass.case}${what}`, body, signal, pass.secret);
  if (!response.ok) throw await refusal(response);
  const answer = (await response.json()) as T;
  noteServerTime(answer.now);
  return answer;
}

/** A file of the case. Elements send no secret along: it is fetched whole (a picture, a clip of half a minute). */
export async function file(pass: Pass, name: 'still.jpg' | 'clip.mp4', signal?: AbortSignal): Promise<Blob> {
  const response = await call('GET', `cases/${pass.case}/${name}`, undefined, signal, pass.secret);
  if (!response.ok) throw await refusal(response);
  return response.blob();
}
