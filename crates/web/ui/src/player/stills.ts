// Single pictures, asked for one after the other: works wherever a page does. Never two requests at once, and none while nobody sees it.

export type StillsStatus = 'waiting' | 'playing' | 'failed';

export interface StillsOptions {
  /** Path and query of the picture. */
  url: string;
  everyMs: number;
  /** A picture: an address that is good until the next one comes, and how many bytes it took. */
  picture: (address: string, bytes: number) => void;
  status: (status: StillsStatus) => void;
  /** The box answered that the login has ended. */
  refused: () => void;
}

/** A box without a picture now is asked again after so long. */
const AGAIN_MS = 5000;

export class Stills {
  private timer = 0;
  private shown: string | null = null;
  private readonly stop = new AbortController();
  private seen = true;

  constructor(private readonly options: StillsOptions) {
    void this.ask();
  }

  /** Whether anybody can see it. */
  see(seen: boolean): void {
    if (seen === this.seen) return;
    this.seen = seen;
    window.clearTimeout(this.timer);
    if (seen) void this.ask();
  }

  close(): void {
    this.stop.abort();
    window.clearTimeout(this.timer);
    if (this.shown) URL.revokeObjectURL(this.shown);
  }

  private async ask(): Promise<void> {
    const { options, stop } = this;
    let wait = options.everyMs;
    try {
      const answer = await fetch(options.url, { credentials: 'same-origin', cache: 'no-store', signal: stop.signal });
      if (answer.ok) {
        const blob = await answer.blob();
        if (stop.signal.aborted) return;
        const before = this.shown;
        this.shown = URL.createObjectURL(blob);
        options.picture(this.shown, blob.size);
        options.status('playing');
        // The old one is on the screen until the new one is drawn.
        if (before) window.setTimeout(() => URL.revokeObjectURL(before), 2000);
      } else {
        if (answer.status === 401) options.refused();
        options.status('failed');
        wait = Math.max(wait, AGAIN_MS);
      }
    } catch {
      if (stop.signal.aborted) return;
      options.status('failed');
      wait = Math.max(wait, AGAIN_MS);
    }
    if (this.seen) this.timer = window.setTimeout(() => void this.ask(), wait);
  }
}
