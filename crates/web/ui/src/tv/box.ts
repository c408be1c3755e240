// What the TV asks of the box. A call answers, says that the box refuses, or that nobody answered.

import { parseTime } from './clock';

export interface Site {
  name: string;
  timezone: string;
  language: string;
}

export interface View {
  page: number;
  pages: number;
  tiles: number;
  night: boolean;
  trouble: string;
}

export interface Own {
  name: string;
  mode: 'public' | 'duty';
  site: Site;
  now: string;
  view: View;
}

export interface Pairing {
  code: string;
  secret: string;
  seconds: number;
  site: Site;
}

/** `status` 0: nobody answered. */
export class Refused extends Error {
  constructor(readonly status: number) {
    super(String(status));
    // Compiled classes forget what they are.
    Object.setPrototypeOf(this, Refused.prototype);
  }
}

const TIMEOUT_MS = 10_000;

export async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const own = new AbortController();
  const timer = window.setTimeout(() => own.abort(), TIMEOUT_MS);
  let response: Response;
  try {
    const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store', signal: own.signal };
    if (body !== undefined) {
      init.headers = { 'Content-Type': 'application/json' };
      init.body = JSON.stringify(body);
    }
    response = await fetch(`/api/v1/${path}`, init);
  } catch (error) {
    throw new Refused(0);
  } finally {
    window.clearTimeout(timer);
  }
  if (!response.ok) throw new Refused(response.status);
  if (response.status === 204) return undefined as unknown as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw new Refused(0);
  }
}

/** What the TV is, and the box's time with it. */
export async function own(): Promise<Own> {
  const answer = await ask<Own>('GET', 'tv');
  parseTime(answer.now);
  return answer;
}
