// The shapes of /api/v1 as this page reads them. Instants arrive as text or microseconds: `fromApi` reads both.

export type Role = 'admin' | 'official' | 'police' | 'viewer' | 'technician' | 'auditor';
export type StreamName = 'main' | 'sub';
type Instant = string | number;

export interface Site {
  name: string;
  timezone: string;
  language: string;
}

export interface Session {
  name: string;
  role: Role;
  site: Site;
}

export interface StreamHealth {
  link: string;
  since: Instant;
  detail: string;
  notes: string[];
  codec: string | null;
  size: [number, number] | null;
  fps: number;
  bitrate: number;
  gop: number | null;
  clock_offset: number | null;
  sessions: number;
  last_sample: Instant | null;
}

export interface Camera {
  id: string;
  name: string;
  streams: { main: StreamHealth; sub: StreamHealth | null };
  recorded: { main: boolean; sub: boolean };
}

export interface Cameras {
  site: Site;
  now: Instant;
  cameras: Camera[];
}

export interface Timeline {
  spans: { from: Instant; to: Instant }[];
}

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
  dropped_gops: number;
}

export interface Problem {
  key: string;
  text_key?: string;
  camera?: string;
  stream?: StreamName;
  ring?: string;
  detail?: string;
}

export interface Status {
  version: string;
  started: Instant;
  now: Instant;
  cameras: { up: number; total: number };
  rings: Ring[];
  problems: Problem[];
}
