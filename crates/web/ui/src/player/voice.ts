// The sound beside a live picture: one more SourceBuffer of the picture's MediaSource, fed by hand. Knows nothing of the picture but its clock.

export type SoundState =
  /** Not asked for, and not fetched. */
  | 'off'
  /** Asked for; the camera sends none yet, or none any more. */
  | 'waiting'
  | 'on'
  /** This browser cannot play the codec. */
  | 'unsupported'
  /** It broke again and again; the picture goes on without it. */
  | 'failed';

interface Op {
  bytes: Uint8Array;
  /** Where it lies less its own time, in seconds; null for an init segment. */
  offset: number | null;
}

/** Packets that may wait for the SourceBuffer; beyond it the oldest are left out. */
const QUEUE = 500;
/** Seconds kept behind the picture. */
const BEHIND = { keep: 8, trimAt: 20 };

export class Voice {
  private queue: Op[] = [];
  private closed = false;

  /** Null where the MediaSource takes no such buffer. */
  static beside(source: MediaSource, mime: string, video: HTMLVideoElement, failed: () => void): Voice | null {
    try {
      return new Voice(source.addSourceBuffer(mime), mime, video, failed);
    } catch {
      return null;
    }
  }

  private constructor(private readonly buffer: SourceBuffer, readonly mime: string, private readonly video: HTMLVideoElement, private readonly failed: () => void) {
    buffer.mode = 'segments';
    buffer.addEventListener('updateend', () => this.next());
    buffer.addEventListener('error', () => this.fail());
  }

  push(bytes: Uint8Array, offset: number | null): void {
    this.queue.push({ bytes, offset });
    if (this.queue.length > QUEUE) {
      const oldest = this.queue.findIndex((op) => op.offset !== null);
      if (oldest >= 0) this.queue.splice(oldest, 1);
    }
    this.pump();
  }

  /** No more; the MediaSource goes, or went. */
  close(): void {
    this.closed = true;
    this.queue = [];
  }

  private next(): void {
    if (this.closed) return;
    const until = this.video.currentTime - BEHIND.keep;
    const { buffered } = this.buffer;
    if (buffered.length > 0 && this.video.currentTime - buffered.start(0) > BEHIND.trimAt && until > buffered.start(0)) {
      this.buffer.remove(0, until);
      return;
    }
    this.pump();
  }

  private pump(): void {
    if (this.closed || this.buffer.updating) return;
    const op = this.queue.shift();
    if (!op) return;
    try {
      if (op.offset !== null && this.buffer.timestampOffset !== op.offset) this.buffer.timestampOffset = op.offset;
      this.buffer.appendBuffer(op.bytes as Uint8Array<ArrayBuffer>);
    } catch {
      this.fail();
    }
  }

  private fail(): void {
    if (this.closed) return;
    this.close();
    this.failed();
  }
}
