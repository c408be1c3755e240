// Calls to /api/v1. A call answers, or throws `ApiError` (the server said no) or `NetworkError` (nobody answered).

import { Signal } from './signal';
import { fromApi, type Ms } from './time';
import type { Session } from './types';

export class ApiError extends Error {
  constructor(readonly status: number, readonly detail: string, readonly textKey: string | null, readonly retryAfter: number | null, readonly room: NoRoom | null = null, readonly kind: string | null = null) {
    super(`${status} ${detail}`);
  }
}

/** What the evidence store was asked to take, and has; bytes. */
export interface NoRoom {
  need: number;
  used: number;
  quota: number;
  free: number;
}

export class NetworkError extends Error {}

/** Whether the last call reached the box. */
export const reachable = new Signal(true);
/** Who is signed in; undefined until asked, null when nobody is. */
export const session = new Signal<Session | null | undefined>(undefined);
/** The sign-in ended by itself: the login page says so. */
export const expired = new Signal(false);
/** The box's clock minus this device's, in milliseconds. */
let skew: Ms = 0;

export function serverNow(): Ms {
  return Date.now() + skew;
}

export function noteServerTime(value: unknown): void {
  const at = fromApi(value);
  if (at !== null) skew = at - Date.now();
}

const TIMEOUT_MS = 15_000;

/** `bearer`: asks by this secret, not by the cookie. */
export async function call(method: string, path: string, body?: unknown, signal?: AbortSignal, bearer?: string): Promise<Response> {
  const own = new AbortController();
  const timer = window.setTimeout(() => own.abort(), TIMEOUT_MS);
  const stop = () => own.abort();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  try {
    const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store', signal: own.signal };
    const headers: { [name: string]: string } = {};
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    if (bearer !== undefined) headers['Authorization'] = `Bearer ${bearer}`;
    init.headers = headers;
    const response = await fetch(`/api/v1/${path}`, init);
    // A gateway that answers for a box it cannot reach.
    reachable.set(response.status !== 502 && response.status !== 504);
    return response;
  } catch {
    if (!signal?.aborted) reachable.set(false);
    throw new NetworkError(path);
  } finally {
    window.clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

export async function refusal(response: Response): Promise<ApiError> {
  let detail = response.statusText;
  let textKey: string | null = null;
  let room: NoRoom | null = null;
  let kind: string | null = null;
  try {
    const problem = (await response.json()) as { [key: string]: unknown };
    if (typeof problem['detail'] === 'string') detail = problem['detail'];
    else if (typeof problem['title'] === 'string') detail = problem['title'];
    if (typeof problem['text_key'] === 'string') textKey = problem['text_key'];
    if (typeof problem['kind'] === 'string') kind = problem['kind'];
    if (kind === 'no-room') room = problem['room'] as NoRoom;
  } catch {
    // Not every refusal has a body; the status speaks.
  }
  const after = Number(response.headers.get('Retry-After'));
  return new ApiError(response.status, detail, textKey, Number.isFinite(after) && after > 0 ? after : null, room, kind);
}

function ended(): void {
  if (!session.value) return;
  expired.set(true);
  session.set(null);
}

async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await call('GET', path, undefined, signal);
  if (response.status === 401) ended();
  if (!response.ok) throw await refusal(response);
  return answerOf<T>(response, path);
}

async function answerOf<T>(response: Response, path: string): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new NetworkError(path);
  }
}

export const get = read;

/** Sends something and reads what became of it. */
export async function post<T>(path: string, body?: unknown): Promise<T> {
  const response = await call('POST', path, body);
  if (response.status === 401) ended();
  if (!response.ok) throw await refusal(response);
  return answerOf<T>(response, path);
}

/** Takes something away. */
export async function remove(path: string): Promise<void> {
  const response = await call('DELETE', path);
  if (response.status === 401) ended();
  if (!response.ok) throw await refusal(response);
}

/** Finds out who is signed in. */
export async function loadSession(): Promise<void> {
  const response = await call('GET', 'session');
  if (response.ok) session.set((await response.json()) as Session);
  else if (response.status === 401 || response.status === 403) {
    ended();
    session.set(null);
  } else throw await refusal(response);
}

export async function signIn(name: string, password: string): Promise<void> {
  const response = await call('POST', 'session', { name, password });
  if (!response.ok) throw await refusal(response);
  const known = (await response.json()) as Session;
  expired.set(false);
  session.set(known);
}

export async function signOut(): Promise<void> {
  const response = await call('DELETE', 'session');
  if (!response.ok && response.status !== 401) throw await refusal(response);
  session.set(null);
}

/** A film that the box makes of a recording, while it is watched. */
export function filmPath(camera: string, from: Ms, to: Ms, stream: string): string {
  return `/api/v1/cameras/${encodeURIComponent(camera)}/film.mp4?from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}&stream=${stream}`;
}

/** Path of a clip, for `<video src>` and downloads. Without sound where it is only looked at: not every browser plays G.711 in MP4. */
export function clipPath(camera: string, from: Ms, to: Ms, stream: string, audio: boolean): string {
  const range = `from=${encodeURIComponent(new Date(from).toISOString())}&to=${encodeURIComponent(new Date(to).toISOString())}`;
  return `/api/v1/cameras/${encodeURIComponent(camera)}/clip.mp4?${range}&stream=${stream}${audio ? '' : '&audio=0'}`;
}
