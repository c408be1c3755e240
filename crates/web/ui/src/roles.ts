// Which pages a role sees. The server decides what it may do; this only spares people pages that would be empty.

import { session } from './api';
import type { Role } from './types';

export type Page = 'live' | 'cases' | 'playback' | 'search' | 'devices';

const PAGES: { [role in Role]: readonly Page[] } = {
  admin: ['live', 'cases', 'playback', 'search', 'devices'],
  official: ['live', 'cases', 'playback', 'search', 'devices'],
  police: ['live', 'cases', 'playback', 'search', 'devices'],
  viewer: ['live'],
  technician: ['live', 'devices'],
  auditor: ['devices'],
};

export function may(page: Page): boolean {
  const role = session.value?.role;
  // A role this page does not know yet: show all, the server refuses what it must.
  return role === undefined || (PAGES[role] ?? PAGES.admin).includes(page);
}

/** Whoever may hear what is said where a camera stands. */
export function mayListen(): boolean {
  const role = session.value?.role;
  return role === 'admin' || role === 'official' || role === 'police';
}

/** Whoever may have packages made of any time; an official has one made of a case. */
export function mayExport(): boolean {
  const role = session.value?.role;
  return role === 'admin' || role === 'police';
}

/** Whoever may delete a package that lies ready: who had it made, the police, the admin. */
export function mayDelete(by: string): boolean {
  return mayExport() || session.value?.name === by;
}

/** Whoever may read who saw what. */
export function mayAudit(): boolean {
  const role = session.value?.role;
  return role === 'admin' || role === 'auditor';
}

/** Whoever says who comes in. */
export function mayInvite(): boolean {
  return session.value?.role === 'admin';
}

/** Whoever says which TVs show the wall. */
export function mayPairTvs(): boolean {
  const role = session.value?.role;
  return role === 'admin' || role === 'official';
}
