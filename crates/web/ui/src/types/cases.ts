// Cases, and links that show one of them.

import type { Instant, Site } from './base';

export type CaseState = 'raised' | 'confirmed' | 'false-alarm';

/** `[x1, y1, x2, y2]`, fractions of the picture. */
export type Box = readonly [number, number, number, number];

export interface Case {
  id: number;
  camera: string;
  camera_name: string;
  kind: string;
  state: string;
  start: Instant;
  raised: Instant;
  end: Instant | null;
  class: string | null;
  zone: string | null;
  box: Box | null;
  why: { vi: string; en: string };
  measured: { [key: string]: number };
  still: string;
  clip: string;
  clip_from: Instant | null;
  clip_to: Instant | null;
  /** Somebody holds its evidence; an older server does not say. */
  held?: boolean;
  /** When its picture and clip were deleted, for their time was over. */
  evidence_gone?: Instant | null;
  answered_by: string | null;
  answered: Instant | null;
  undo_until: Instant | null;
  note: string;
  history?: CaseEntry[];
  now?: Instant;
}

export interface CaseEntry {
  at: Instant;
  by: string | null;
  what: string;
  note: string;
}

export interface CaseList {
  now: Instant;
  cases: Case[];
  /** How many wait for a person, on all cameras this user may see. */
  todo: number;
}

/** A case a rule raised, as the timeline marks it. */
export interface Violation {
  id: number;
  camera: string;
  kind: string;
  state: string;
  start: Instant;
  raised: Instant;
  end: Instant | null;
}

export interface Violations {
  violations: Violation[];
}

/** Who can be asked about a case. */
export interface CanBeAsked {
  people: { id: number; name: string; role: string }[];
}

/** A fresh link to one case, told once. */
export interface CaseLink {
  name: string;
  link: string;
  expires: Instant;
}

/** What a link to one case gives the browser that opens it first. */
export interface CaseLinkOpened {
  case: number;
  name: string;
  expires: Instant;
  site: Site;
}
