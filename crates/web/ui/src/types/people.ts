// People, their phones and invitations, and TVs.

import type { Site } from './base';

/** Whom an invitation is for. */
export interface InvitationFor {
  name: string;
  role: string;
  site: Site;
  expires: string;
}

/** A fresh invitation, told once. */
export interface Invitation {
  person: number;
  name: string;
  link: string;
  /** An SVG path of unit squares, and how many units wide it is. */
  qr: { size: number; path: string };
  expires: string;
}

export interface Device {
  id: string;
  label: string;
  bound: boolean;
  created: string;
  seen: string;
  current: boolean;
}

export interface Devices {
  now: string;
  devices: Device[];
}

export interface Person {
  id: number;
  name: string;
  role: string;
  /** Null: all. */
  cameras: string[] | null;
  password: boolean;
  invited: string | null;
  devices: Device[];
}

export interface People {
  now: string;
  people: Person[];
}

/** What a TV may show: for everybody who passes by, or for whoever is on duty. */
export type WallMode = 'public' | 'duty';

export interface Tv {
  id: number;
  name: string;
  mode: WallMode;
  by: string;
  created: string;
  seen: string;
}

export interface Tvs {
  now: string;
  tvs: Tv[];
}
