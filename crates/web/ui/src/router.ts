// Addresses of the pages. Real paths, so that a link can be sent and the phone's back key works.

import { Signal, useSignal } from './signal';
import type { Ms } from './time';

export type Route =
  | { page: 'live' }
  | { page: 'camera'; camera: string }
  | { page: 'cases'; all: boolean }
  | { page: 'case'; id: number }
  | { page: 'playback'; camera: string | null; at: Ms | null }
  | { page: 'search' }
  | { page: 'devices' }
  | { page: 'settings' }
  | { page: 'join' }
  | { page: 'one' }
  | { page: 'missing' };

function parse(location: Location): Route {
  const [first = '', second] = location.pathname.split('/').filter((part) => part !== '').map(safeDecode);
  const query = new URLSearchParams(location.search);
  switch (first) {
    case '':
      return { page: 'live' };
    case 'camera':
      return second ? { page: 'camera', camera: second } : { page: 'live' };
    case 'vu-viec': {
      if (second === undefined) return { page: 'cases', all: query.has('tat-ca') };
      return /^[1-9]\d{0,14}$/.test(second) ? { page: 'case', id: Number(second) } : { page: 'missing' };
    }
    case 'xem-lai': {
      const at = Number(query.get('t'));
      return { page: 'playback', camera: second ?? null, at: Number.isFinite(at) && at > 0 ? at * 1000 : null };
    }
    case 'tim':
      return { page: 'search' };
    case 'thiet-bi':
      return { page: 'devices' };
    case 'cai-dat':
      return { page: 'settings' };
    case 'moi':
      return { page: 'join' };
    case 'vu':
      return { page: 'one' };
    default:
      return { page: 'missing' };
  }
}

function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const paths = {
  live: '/',
  camera: (id: string) => `/camera/${encodeURIComponent(id)}`,
  playback: (id?: string | null, at?: Ms | null) =>
    `/xem-lai${id ? `/${encodeURIComponent(id)}` : ''}${at ? `?t=${Math.round(at / 1000)}` : ''}`,
  cases: (all = false) => (all ? '/vu-viec?tat-ca' : '/vu-viec'),
  case: (id: number) => `/vu-viec/${id}`,
  search: '/tim',
  devices: '/thiet-bi',
  settings: '/cai-dat',
};

const route = new Signal<Route>(parse(window.location));
window.addEventListener('popstate', () => route.set(parse(window.location)));

export function useRoute(): Route {
  return useSignal(route);
}

export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') window.history.pushState(null, '', path);
  else window.history.replaceState(null, '', path);
  route.set(parse(window.location));
  if (how === 'push') window.scrollTo(0, 0);
}

/** Changes the address alone, for what the page already shows. */
export function note(path: string): void {
  window.history.replaceState(null, '', path);
}
