// What every live player does with its `<video>`, however pictures come to it: begins mute, plays, and tells its state when that changed.

export type PlayerStatus =
  /** No frame shown yet. */
  | 'waiting'
  | 'playing'
  /** Frames stopped coming. */
  | 'stalled'
  /** This browser cannot play the codec; `codec` says which. */
  | 'unsupported'
  /** The browser wants a tap before it plays. */
  | 'tap'
  /** Decoding fails again and again. */
  | 'failed';

export interface PlayerState {
  status: PlayerStatus;
  /** Seconds behind the newest frame, once playing. */
  delay: number | null;
  /** `H.264`, `H.265`; once known. */
  codec: string | null;
  width: number;
  height: number;
}

export const FRESH: PlayerState = { status: 'waiting', delay: null, codec: null, width: 0, height: 0 };
/** Seconds by which a delay must differ to be news. */
const NEWS = 0.05;

export abstract class Shown {
  protected state: PlayerState = FRESH;

  constructor(protected readonly video: HTMLVideoElement, private readonly changed: (state: PlayerState) => void) {
    video.muted = true;
    video.playsInline = true;
  }

  /** After a tap: some browsers do not start by themselves. */
  play(): void {
    const started = this.video.play() as Promise<void> | undefined;
    started?.catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.set({ status: 'tap' });
    });
  }

  protected set(change: Partial<PlayerState>): void {
    const next = { ...this.state, ...change };
    const old = this.state;
    const sameDelay = old.delay === next.delay || (old.delay !== null && next.delay !== null && Math.abs(old.delay - next.delay) < NEWS);
    if (old.status === next.status && sameDelay && old.codec === next.codec && old.width === next.width && old.height === next.height) return;
    this.state = next;
    this.changed(next);
  }
}
