// Cameras, what is recorded of them, and what the demo's will show.

import type { Instant, Site } from './base';

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
  /** Whether sound came that can be heard live; an older server does not say. */
  sound?: { main: boolean; sub: boolean };
  /** Whether pictures are looked at: `on`, `no-rules`, `off`, `quarantine`. */
  detection?: string;
  /** Something moves in its picture, or did ten seconds ago; never where nothing is looked at. */
  moving?: boolean;
  /** Parts of its picture are black for this user, who cannot play its recordings. */
  masked?: boolean;
}

export interface Cameras {
  site: Site;
  now: Instant;
  cameras: Camera[];
}

export interface Timeline {
  spans: { from: Instant; to: Instant }[];
  /** What is missing in between, and why; an older server does not say. */
  gaps?: { from: Instant; to: Instant; reason: string }[];
}

/** What the demo's drawn cameras will show; times in seconds of a round that repeats. */
export interface Story {
  now: Instant;
  begun: Instant;
  scenes: { camera: string; seconds: number; events: { kind: string; from: number; to: number; ruled: boolean }[] }[];
}
