// The shapes of /api/v1 as this page reads them. Instants arrive as text or microseconds: `fromApi` reads both.

export type Role = 'admin' | 'official' | 'police' | 'viewer' | 'technician' | 'auditor';
export type StreamName = 'main' | 'sub';
type Instant = string | number;

export interface Site {
  name: string;
  timezone: string;
  language: string;
  /** A demonstration with simulated cameras. */
  demo?: boolean;
}

export interface Session {
  name: string;
  role: Role;
  site: Site;
  /** Live pictures come by WebRTC, too, on this way in. */
  webrtc?: boolean;
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

/** What the demo's drawn cameras will show; times in seconds of a round that repeats. */
export interface Story {
  now: Instant;
  begun: Instant;
  scenes: { camera: string; seconds: number; events: { kind: string; from: number; to: number; ruled: boolean }[] }[];
}

/** Whom an invitation is for. */
export interface InvitationFor {
  name: string;
  role: string;
  site: Site;
  expires: string;
}

/** What is searched for; empty lists: anything. */
export interface SearchQuery {
  from: string;
  to: string;
  purpose: string;
  cameras: string[];
  classes: string[];
  colours: string[];
  headings: string[];
  before: string | null;
}

/** Something that came by. */
export interface Sighting {
  camera: string;
  class: string;
  colour: string | null;
  heading: string;
  first: string;
  last: string;
  best: string;
  box: Box;
  score: number;
}

export interface Found {
  now: Instant;
  found: Sighting[];
  before: string | null;
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
