// A screen that nobody has let in yet: shows a code, and asks until somebody typed it.

import { ask, Refused, type Pairing } from './box';

export interface PairingScreen {
  code: (pairing: Pairing) => void;
  /** Nobody answers, or it is refused; it goes on by itself. */
  trouble: (status: number) => void;
  paired: () => void;
}

const LOOK_MS = 2000;
const AGAIN_MS = 5000;

export class PairingLoop {
  private closed = false;
  private timer = 0;

  constructor(private readonly screen: PairingScreen) {
    void this.begin();
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.timer);
  }

  private later(work: () => Promise<void>, ms: number): void {
    if (!this.closed) this.timer = window.setTimeout(() => void work(), ms);
  }

  private async begin(): Promise<void> {
    try {
      const pairing = await ask<Pairing>('POST', 'tv/pairing');
      if (this.closed) return;
      this.screen.code(pairing);
      this.later(() => this.look(pairing), LOOK_MS);
    } catch (error) {
      if (this.closed) return;
      this.screen.trouble(error instanceof Refused ? error.status : 0);
      this.later(() => this.begin(), AGAIN_MS);
    }
  }

  private async look(pairing: Pairing): Promise<void> {
    try {
      const { state } = await ask<{ state: string }>('POST', 'tv/pairing/look', { secret: pairing.secret });
      if (this.closed) return;
      if (state === 'paired') this.screen.paired();
      else if (state === 'waiting') {
        this.screen.code(pairing);
        this.later(() => this.look(pairing), LOOK_MS);
      } else await this.begin();
    } catch (error) {
      if (this.closed) return;
      this.screen.trouble(error instanceof Refused ? error.status : 0);
      // The code is good until it is over, also over a break of the line; a box that restarted has forgotten it.
      this.later(() => this.look(pairing), AGAIN_MS);
    }
  }
}
