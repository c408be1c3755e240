// What is kept and handed over, and what vouches for it.

import type { Instant, StreamName } from './base';

/** What a package for an authority was asked for with. */
export interface ExportRequest {
  cameras: string[];
  from: string;
  to: string;
  stream?: StreamName;
  purpose: string;
  officer: string;
  authority?: string;
  document?: string;
  case?: number | null;
}

export interface Export {
  id: string;
  asked: Instant;
  by: string;
  role: string;
  state: string;
  request: ExportRequest;
  done: number;
  total: number;
  bytes: number;
  trouble: string;
  /** Whether it lies in the box, to be fetched; an older server does not say. */
  here?: boolean;
}

export interface Exports {
  now?: Instant;
  exports: Export[];
}

/** Footage somebody had kept. */
export interface Kept {
  id: string;
  by: string;
  cameras: string[];
  from: Instant;
  to: Instant;
  note: string;
  /** Null: held. */
  until: Instant | null;
  state: string;
  bytes: number;
  trouble: string;
}

export interface KeptList {
  now?: Instant;
  kept: Kept[];
}

export interface AuditLog {
  now?: Instant;
  rows: AuditRow[];
}

export interface AuditRow {
  seq: number;
  at: Instant;
  who: string;
  role: string;
  what: string;
  subject: string;
  detail: string;
}

export interface Fingerprints {
  now?: Instant;
  /** Of the box's key. */
  key: string;
  fingerprints: { day: string; words: string; hash: string; line: string }[];
}
