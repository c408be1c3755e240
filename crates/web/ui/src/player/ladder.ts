// Which way a live picture comes: the best that works now, a worse one when it does not, and now and then a try to get back up. Pure: time goes in.

/** From best to humblest. */
export type Rung =
  /** Fragments over the WebSocket into MSE or ManagedMediaSource. */
  | 'socket'
  /** WebRTC: over UDP, where a lost packet holds up nothing but itself. In the village only. */
  | 'webrtc'
  /** Low-Latency HLS by the browser's own player. */
  | 'hls'
  /** Single pictures. */
  | 'stills';

export const RUNGS: readonly Rung[] = ['socket', 'webrtc', 'hls', 'stills'];

/** What the browser can do, as it says itself; and the box, as it says on this way in. */
export interface Can {
  mediaSource: boolean;
  /** Both can. */
  webrtc: boolean;
  nativeHls: boolean;
}

/**
 * The rungs to use, best first. `only`: one was asked for by name, and is used whether it works or not.
 * The socket comes first, for it is exact and costs the box least. What makes it stand still is a line that loses packets: TCP holds back
 * everything until the lost one is there. So WebRTC is what comes after it, and nothing else has to be measured.
 */
export function rungsFor(can: Can, only: Rung | null): Rung[] {
  if (only) return [only];
  const has: Record<Rung, boolean> = { socket: can.mediaSource, webrtc: can.webrtc, hls: can.nativeHls, stills: true };
  return RUNGS.filter((rung) => has[rung]);
}

/** So many stalls and failures within this time, and the next rung is taken. */
const STRIKES = { most: 3, within: 60 };
/** Seconds without a picture that goes on, the first or any other. */
const PATIENCE = 15;
/** Seconds on a lower rung before the one above is tried; doubles with each try that fails. */
const WAIT = { first: 30, most: 600 };
/** So long has a try to play until it counts, and until the wait is short again. */
const PROVED = { try: 10, well: 120 };

export class Ladder {
  private at = 0;
  private since: number;
  private played: number | null = null;
  private strikes: number[] = [];
  private trying = false;
  private wait = WAIT.first;
  private upAt = Infinity;
  /** Where there was no room. */
  private back: number | null = null;
  private readonly never = new Set<Rung>();

  constructor(private readonly rungs: readonly Rung[], now: number) {
    this.since = now;
  }

  get rung(): Rung {
    return this.rungs[this.at] ?? 'stills';
  }

  /** This way cannot show what the camera sends, now or later. */
  cannot(now: number): void {
    if (this.below() === null) return;
    this.never.add(this.rung);
    this.down(now);
  }

  /** Whether that way may be taken some time. */
  may(rung: Rung): boolean {
    return this.rungs.includes(rung) && !this.never.has(rung);
  }

  /** That way cannot, either. The one in use stays until `cannot` is said of it. */
  spare(rung: Rung): void {
    if (rung !== this.rung) this.never.add(rung);
  }

  /** The box has no room for this picture in motion now: single pictures, and another try later. */
  refuse(now: number): void {
    const last = this.rungs.length - 1;
    if (this.at >= last) return;
    if (this.trying) this.wait = Math.min(WAIT.most, this.wait * 2);
    const back = this.at;
    this.take(last, now);
    this.back = back;
    this.upAt = now + this.wait;
  }

  /** It stood still, or broke. */
  strike(now: number): void {
    this.strikes = [...this.strikes.filter((at) => now - at < STRIKES.within), now];
    if (this.strikes.length >= (this.trying ? 1 : STRIKES.most)) this.down(now);
  }

  /** Call it about once a second. `moving`: the picture goes on; `fair`: camera and box are there, so that it should. */
  tick(now: number, moving: boolean, fair: boolean): void {
    if (!fair) {
      // Whose fault it is shows when they are back.
      this.since = now;
      return;
    }
    if (moving) {
      this.since = now;
      if (this.played === null) this.played = now;
      const well = now - this.played;
      if (this.trying && well >= PROVED.try) this.trying = false;
      if (this.at === 0 && well >= PROVED.well) this.wait = WAIT.first;
    }
    // On the last rung there is nothing to wait for: the one above is tried also where this one shows nothing.
    if (now >= this.upAt && (moving || this.below() === null)) this.up(now);
    else if (!moving && now - this.since >= PATIENCE) this.down(now);
  }

  private below(): number | null {
    for (let i = this.at + 1; i < this.rungs.length; i += 1) if (!this.never.has(this.rungs[i] as Rung)) return i;
    return null;
  }

  private above(): number | null {
    for (let i = this.at - 1; i >= 0; i -= 1) if (!this.never.has(this.rungs[i] as Rung)) return i;
    return null;
  }

  private down(now: number): void {
    const next = this.below();
    if (next === null) {
      // It stays, and so does the time of the next try.
      this.since = now;
      this.strikes = [];
      return;
    }
    if (this.trying) this.wait = Math.min(WAIT.most, this.wait * 2);
    this.take(next, now);
    this.upAt = this.above() === null ? Infinity : now + this.wait;
  }

  private up(now: number): void {
    const next = this.back ?? this.above();
    if (next === null) return;
    this.take(next, now);
    this.trying = true;
    this.upAt = next === 0 || this.above() === null ? Infinity : now + this.wait;
  }

  private take(at: number, now: number): void {
    this.at = at;
    this.back = null;
    this.since = now;
    this.played = null;
    this.strikes = [];
    this.trying = false;
  }
}
