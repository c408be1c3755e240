// How the box is doing.

import type { Instant, StreamName } from './base';

export interface Ring {
  name: string;
  state: string;
  detail?: string | null;
  /** Bytes. */
  size: number;
  block_size: number;
  /** Blocks that hold recordings. */
  used: number;
  oldest: Instant | null;
  newest: Instant | null;
  written_bytes?: number;
  write_rate_bps: number;
  days_forecast: number | null;
  /** Days the village promised to keep; null: none. */
  days_promised?: number | null;
  dropped_gops: number;
  paths?: RingPath[];
}

/** A folder of a ring: one for each disk. */
export interface RingPath {
  path: string;
  state: string;
  since: Instant | null;
  detail: string;
  read_errors: number;
  write_errors: number;
}

/** A disk and what it says of itself; null: it does not tell. */
export interface Disk {
  device: string;
  paths: string[];
  state: string;
  detail: string;
  reasons?: { key: string; n: number }[];
  model: string;
  serial: string;
  measured: Instant | null;
  reallocated: number | null;
  pending: number | null;
  uncorrectable: number | null;
  worn_percent: number | null;
  temperature: number | null;
  hours: number | null;
}

export interface Problem {
  key: string;
  text_key?: string;
  camera?: string;
  stream?: StreamName;
  ring?: string;
  disk?: string;
  since?: Instant;
  detail?: string;
}

export interface Status {
  version: string;
  started: Instant;
  now: Instant;
  cameras: { up: number; total: number };
  rings: Ring[];
  disks?: Disk[];
  evidence?: Evidence;
  /** Phones that are told of cases. */
  push?: { offered: boolean; phones: number };
  reach?: Reach;
  problems: Problem[];
  vision?: Vision;
}

/** How the box is reached. */
export interface Reach {
  public_url: string | null;
  /** Null: plain HTTP. */
  certificate: { state: string; names: string[]; until: Instant; authority: string | null } | null;
  /** What does not work without an address from outside. */
  missing: string[];
}

/** What is kept beside the rings, in bytes. */
export interface Evidence {
  state: string;
  used: number;
  quota: number;
  free: number;
  cases: number;
  kept: number;
  packages: number;
  /** How long pictures of cases are kept that nobody confirmed. */
  keep_unconfirmed_s: number;
}

/** How detection is doing; a server may say more than this page reads. */
export interface Vision {
  state: string;
  model?: string | null;
  detail?: string;
  restarts?: number;
}
