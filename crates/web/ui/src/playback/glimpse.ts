// Small pictures of the past while a finger moves where no clip is loaded: never two requests at once, the newest wish wins. No page, no framework.

import type { Ms } from '../time';

export interface GlimpseOptions<P> {
  ask: (at: Ms, signal: AbortSignal) => Promise<P | null>;
  /** A picture of that moment; null: there is none. */
  show: (at: Ms, picture: P | null) => void;
  timers: { set: (run: () => void, ms: number) => number; clear: (timer: number) => void };
  now: () => number;
}

/** From one request to the next: each of them has a worker decode a picture. */
export const EVERY_MS = 250;

export class Glimpse<P> {
  private wished: Ms | null = null;
  private stop: AbortController | null = null;
  private began = -Infinity;
  private timer: number | null = null;

  constructor(private readonly options: GlimpseOptions<P>) {}

  wish(at: Ms): void {
    this.wished = at;
    this.next();
  }

  /** Nothing is wished any more; what is on its way is not shown. */
  rest(): void {
    this.wished = null;
    this.stop?.abort();
    this.stop = null;
    if (this.timer !== null) this.options.timers.clear(this.timer);
    this.timer = null;
  }

  private next(): void {
    const { options } = this;
    if (this.wished === null || this.stop || this.timer !== null) return;
    const wait = this.began + EVERY_MS - options.now();
    if (wait > 0) {
      this.timer = options.timers.set(() => {
        this.timer = null;
        this.next();
      }, wait);
      return;
    }
    const [at, stop] = [this.wished, new AbortController()];
    this.wished = null;
    this.stop = stop;
    this.began = options.now();
    const done = (picture: P | null) => {
      if (this.stop !== stop) return;
      this.stop = null;
      options.show(at, picture);
      this.next();
    };
    options.ask(at, stop.signal).then(done, () => done(null));
  }
}
