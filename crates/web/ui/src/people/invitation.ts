// What a link of an invitation is, and where it was opened.

import { ApiError, call, expired, refusal, session } from '../api';
import type { InvitationFor, Session } from '../types';

/** The secret behind the `#` of the address; null when there is none. */
export function secretOf(hash: string): string | null {
  const found = /^#(mi_[0-9a-f]{64})$/.exec(hash);
  return found?.[1] ?? null;
}

export type Refused = 'used' | 'over';

/** Why an invitation lets nobody in; null: something else went wrong. */
export function refusedBecause(error: unknown): Refused | null {
  if (!(error instanceof ApiError) || error.status !== 410) return null;
  return error.kind === 'invitation-used' ? 'used' : 'over';
}

async function ask<T>(path: string, secret: string): Promise<T> {
  const response = await call('POST', path, { secret });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as T;
}

/** Whom it is for. */
export function look(secret: string): Promise<InvitationFor> {
  return ask<InvitationFor>('invitation/look', secret);
}

/** Makes this phone the person's. */
export async function accept(secret: string): Promise<void> {
  const who = await ask<Session>('invitation', secret);
  expired.set(false);
  session.set(who);
}
