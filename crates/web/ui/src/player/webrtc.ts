// One `<video>` over WebRTC, by WHEP: an offer is posted, the box answers with all it has, and pictures come over UDP. No framework.
// The offer goes out before candidates are gathered: the box is found at the address in its answer, and learns ours from where we knock.

import { Backoff } from './backoff';
import { Shown, type PlayerState } from './shown';

/** Without a picture for so long after the answer, or between two, it is begun anew or stands still. */
const CONNECT_MS = 8000;
const QUIET_MS = 4000;
const TICK_MS = 500;

export interface RtcOptions {
  /** Where offers go. */
  url: string;
  changed: (state: PlayerState) => void;
  /** The box answered that the login has ended. */
  refused: () => void;
  /** Bytes came over the network. */
  used: (bytes: number) => void;
}

/** What a look at the connection tells. */
interface Look {
  frames: number;
  bytes: number;
  /** Seconds that frames waited in the browser, all together; and how many frames that were. */
  waited: number;
  emitted: number;
}

export class RtcPlayer extends Shown {
  private readonly backoff = new Backoff();
  private peer: RTCPeerConnection | null = null;
  /** What to delete at the end. */
  private place: string | null = null;
  private last: Look = { frames: 0, bytes: 0, waited: 0, emitted: 0 };
  private movedAt = 0;
  private retry = 0;
  private closed = false;
  private readonly timer: number;

  constructor(video: HTMLVideoElement, private readonly options: RtcOptions) {
    super(video, options.changed);
    this.timer = window.setInterval(() => void this.tick(), TICK_MS);
    void this.open();
  }

  close(): void {
    this.closed = true;
    window.clearInterval(this.timer);
    window.clearTimeout(this.retry);
    this.leave();
  }

  private async open(): Promise<void> {
    this.leave();
    this.movedAt = performance.now();
    this.last = { frames: 0, bytes: 0, waited: 0, emitted: 0 };
    // So that each failure is news.
    if (this.state.status === 'failed') this.set({ status: 'waiting' });
    const peer = new RTCPeerConnection();
    this.peer = peer;
    try {
      const { receiver } = peer.addTransceiver('video', { direction: 'recvonly' });
      hurry(receiver);
      peer.ontrack = (event) => {
        if (this.peer !== peer) return;
        this.video.srcObject = event.streams[0] ?? new MediaStream([event.track]);
        this.play();
      };
      peer.onconnectionstatechange = () => {
        if (this.peer === peer && (peer.connectionState === 'failed' || peer.connectionState === 'closed')) this.fail();
      };
      await peer.setLocalDescription(await peer.createOffer());
      const body = peer.localDescription?.sdp ?? '';
      const answer = await fetch(this.options.url, { method: 'POST', credentials: 'same-origin', cache: 'no-store', headers: { 'Content-Type': 'application/sdp' }, body });
      const place = answer.headers.get('Location');
      if (this.peer !== peer) return forget(place);
      if (!answer.ok) return await this.turnedAway(peer, answer);
      this.place = place;
      this.set({ codec: 'H.264' });
      await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    } catch {
      if (this.peer === peer) this.fail();
    }
  }

  /** The box said no, and why. */
  private async turnedAway(peer: RTCPeerConnection, answer: Response): Promise<void> {
    if (answer.status === 401) this.options.refused();
    const codec = answer.status === 406 ? ((await answer.json()) as { codec?: unknown }).codec : null;
    if (this.peer !== peer) return;
    if (typeof codec !== 'string') return this.fail();
    // What a camera sends may change, but not while somebody waits for it.
    this.leave();
    this.set({ status: 'unsupported', delay: null, codec });
  }

  private fail(): void {
    if (this.closed) return;
    this.leave();
    this.set({ status: 'failed', delay: null });
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => void this.open(), this.backoff.next());
  }

  /** Lets go of the connection, and tells the box so. */
  private leave(): void {
    const { peer, place } = this;
    this.peer = null;
    this.place = null;
    if (!peer) return;
    peer.ontrack = null;
    peer.onconnectionstatechange = null;
    peer.close();
    this.video.srcObject = null;
    forget(place);
  }

  private async tick(): Promise<void> {
    const { peer, video } = this;
    if (!peer) return;
    const look = await lookAt(peer).catch(() => null);
    if (this.peer !== peer) return;
    const quiet = performance.now() - this.movedAt;
    if (look && look.frames > this.last.frames && video.videoWidth > 0) {
      const emitted = look.emitted - this.last.emitted;
      const delay = emitted > 0 ? (look.waited - this.last.waited) / emitted : this.state.delay;
      this.movedAt = performance.now();
      this.backoff.reset();
      this.set({ status: 'playing', delay, width: video.videoWidth, height: video.videoHeight });
    } else if (this.state.status === 'playing' && quiet > QUIET_MS) {
      this.set({ status: 'stalled', delay: null });
    } else if (look?.frames === 0 && quiet > CONNECT_MS) {
      return this.fail();
    }
    if (look) {
      if (look.bytes > this.last.bytes) this.options.used(look.bytes - this.last.bytes);
      this.last = look;
    }
    if (video.paused && video.srcObject && this.state.status !== 'tap') this.play();
  }
}

/** Ends a session at the box, also when the page is going away. */
function forget(place: string | null): void {
  if (place) void fetch(place, { method: 'DELETE', credentials: 'same-origin', keepalive: true }).catch(() => undefined);
}

/** Asks the browser to hold pictures back no longer than the network makes it; older ones know another word for it, or none. */
function hurry(receiver: RTCRtpReceiver): void {
  const hints = receiver as unknown as { [name: string]: number };
  for (const name of ['jitterBufferTarget', 'playoutDelayHint']) {
    if (!(name in receiver)) continue;
    hints[name] = 0;
    return;
  }
}

async function lookAt(peer: RTCPeerConnection): Promise<Look> {
  const look: Look = { frames: 0, bytes: 0, waited: 0, emitted: 0 };
  (await peer.getStats()).forEach((report: { [key: string]: unknown }) => {
    if (report['type'] !== 'inbound-rtp' || report['kind'] !== 'video') return;
    const number = (key: string) => (typeof report[key] === 'number' ? report[key] : 0);
    look.frames += number('framesDecoded');
    look.bytes += number('bytesReceived') + number('headerBytesReceived');
    look.waited += number('jitterBufferDelay');
    look.emitted += number('jitterBufferEmittedCount');
  });
  return look;
}

/** Whether this browser speaks WebRTC at all. */
export function canRtc(): boolean {
  return typeof RTCPeerConnection === 'function';
}
