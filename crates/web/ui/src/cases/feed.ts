// Hears from the box that a case changed: server-sent events, kept up while the page is seen; while they fail, a look now and then instead.
// No page, no framework: what it touches of the browser is handed in.

import { Backoff } from '../player/backoff';

/** What it uses of an `EventSource`. */
export interface Source {
  readonly readyState: number;
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: string, heard: (event: { data: unknown }) => void): void;
  close(): void;
}

export interface Timers {
  set(run: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

export interface FeedOptions {
  open: () => Source;
  /** Something changed: the case, or null when anything may have (a new connection, a look). */
  change: (id: number | null) => void;
  /** A camera began to see something move, or ceased to. */
  motion: (camera: string, moving: boolean) => void;
  /** What was said of motion holds no longer. */
  still: () => void;
  /** A sign of life that carries the box's time. */
  beat: (now: unknown) => void;
  /** Refused for good: perhaps the login ended. */
  refused: () => void;
  timers: Timers;
  backoff?: Backoff;
}

/** The state `EventSource.CLOSED`: it does not try again by itself. */
const CLOSED = 2;
/** The server speaks every 15 s; nothing for so long is a connection that died without a word. */
export const SILENT_MS = 40_000;
/** How often to look while nothing is heard. */
export const POLL_MS = 10_000;

export class Feed {
  private source: Source | null = null;
  private silent: unknown = null;
  private poll: unknown = null;
  private retry: unknown = null;
  private readonly backoff: Backoff;

  constructor(private readonly options: FeedOptions) {
    this.backoff = options.backoff ?? new Backoff();
  }

  /** Connects, unless it has or is about to. */
  start(): void {
    if (this.source) return;
    this.stopTimer('retry');
    const source = this.options.open();
    this.source = source;
    const mine = () => this.source === source;
    source.onopen = () => {
      if (!mine()) return;
      this.backoff.reset();
      this.stopTimer('poll');
      this.heard();
      // What happened before is not told again to a first-comer.
      this.options.change(null);
    };
    source.onerror = () => {
      if (!mine()) return;
      this.options.still();
      this.look();
      if (source.readyState === CLOSED) {
        this.options.refused();
        this.again();
      }
    };
    source.addEventListener('case', ({ data }) => {
      if (!mine()) return;
      this.heard();
      this.options.change(caseId(data));
    });
    source.addEventListener('motion', ({ data }) => {
      if (!mine()) return;
      this.heard();
      const [camera, moving] = [field(data, 'camera'), field(data, 'moving')];
      if (typeof camera === 'string' && typeof moving === 'boolean') this.options.motion(camera, moving);
    });
    source.addEventListener('beat', ({ data }) => {
      if (!mine()) return;
      this.heard();
      this.options.beat(field(data, 'now'));
    });
    this.heard();
  }

  stop(): void {
    this.hangUp();
    this.stopTimer('poll');
    this.stopTimer('retry');
  }

  private heard(): void {
    this.stopTimer('silent');
    this.silent = this.options.timers.set(() => {
      this.look();
      this.again();
    }, SILENT_MS);
  }

  /** Looks every now and then until a connection stands. */
  private look(): void {
    if (this.poll !== null) return;
    this.poll = this.options.timers.set(() => {
      this.poll = null;
      this.options.change(null);
      this.look();
    }, POLL_MS);
  }

  private again(): void {
    this.hangUp();
    this.stopTimer('retry');
    this.retry = this.options.timers.set(() => this.start(), this.backoff.next());
  }

  private hangUp(): void {
    this.stopTimer('silent');
    const source = this.source;
    this.source = null;
    if (source) this.options.still();
    source?.close();
  }

  private stopTimer(which: 'silent' | 'poll' | 'retry'): void {
    if (this[which] !== null) this.options.timers.clear(this[which]);
    this[which] = null;
  }
}

function field(data: unknown, name: string): unknown {
  if (typeof data !== 'string') return null;
  try {
    const read: unknown = JSON.parse(data);
    return typeof read === 'object' && read !== null ? (read as { [name: string]: unknown })[name] ?? null : null;
  } catch {
    return null;
  }
}

/** The case an event is about; null when it cannot be read, which means “look yourself”. */
export function caseId(data: unknown): number | null {
  const id = field(data, 'id');
  return typeof id === 'number' && Number.isInteger(id) && id > 0 ? id : null;
}
