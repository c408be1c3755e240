// How long to wait before the next attempt to connect. Pure: the dice are passed in.

const FIRST = 500;
const MOST = 10_000;

export class Backoff {
  private attempt = 0;

  constructor(private readonly dice: () => number = Math.random) {}

  /** Milliseconds until the next attempt: doubling, at most 10 s, a third of it by chance so that phones do not come all at once. */
  next(): number {
    const full = Math.min(MOST, FIRST * 2 ** Math.min(this.attempt, 10));
    this.attempt += 1;
    return Math.round(full * (2 / 3 + this.dice() / 3));
  }

  reset(): void {
    this.attempt = 0;
  }
}
