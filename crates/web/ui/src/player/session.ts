// The live WebSocket: one connection for any number of cameras, kept up while the page is visible. No video here, no framework.

import { Backoff } from './backoff';
import { parseBinary, parseText, type FormatMessage, type SoundMessage } from './protocol';

export interface LiveSink {
  format(message: FormatMessage): void;
  media(bytes: Uint8Array): void;
  /** Key of the camera's state. */
  state(key: string): void;
  /** The box left groups of pictures out, because this viewer was too slow. */
  skipped?(): void;
  /** What sound comes over this channel. */
  sound?(message: SoundMessage): void;
  /** The box does not send this camera now. */
  refused?(kind: string): void;
}

export type SessionStatus = 'connecting' | 'open' | 'retrying' | 'hidden' | 'closed';

export interface SessionOptions {
  /** Path and query, `/api/v1/live?…`. */
  path: string;
  multiplexed: boolean;
  /** By channel; a bare socket has one. */
  sinks: readonly LiveSink[];
  status: (status: SessionStatus) => void;
  /** A connection ended before anything came over it: perhaps the login ended, or something between does not let it through. */
  refused: () => void;
  /** Places of the sinks that are wanted from the start; null: all. */
  wanted?: readonly number[] | null;
}

/** Nothing for so long on a connection that had spoken: take a new one. */
const SILENT_MS = 15_000;
const HIDE_MS = 2_000;

export class LiveSession {
  private socket: WebSocket | null = null;
  private readonly backoff = new Backoff();
  private retryTimer = 0;
  private hideTimer = 0;
  private silentTimer = 0;
  private closed = false;
  private wanted: readonly number[] | null;
  /** What the box was told last on this connection. */
  private told = '';

  constructor(private readonly options: SessionOptions) {
    this.wanted = options.wanted ?? null;
    document.addEventListener('visibilitychange', this.onVisibility);
    window.addEventListener('online', this.onOnline);
    if (document.hidden) options.status('hidden');
    else this.connect();
  }

  /** Which of the sinks get pictures from now on; states come of all. For a multiplexed session. */
  want(places: readonly number[]): void {
    this.wanted = places;
    // Nobody sends, so nobody is silent.
    if (places.length === 0) window.clearTimeout(this.silentTimer);
    this.tell();
  }

  close(): void {
    this.closed = true;
    document.removeEventListener('visibilitychange', this.onVisibility);
    window.removeEventListener('online', this.onOnline);
    window.clearTimeout(this.hideTimer);
    this.hangUp();
    this.options.status('closed');
  }

  private connect(): void {
    if (this.closed || this.socket) return;
    window.clearTimeout(this.retryTimer);
    this.options.status('connecting');
    const url = new URL(this.options.path, window.location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (this.wanted) url.searchParams.set('want', this.wanted.join());
    this.told = this.wanted?.join() ?? '';
    const socket = new WebSocket(url.href);
    let spoke = false;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      if (this.socket !== socket) return;
      this.options.status('open');
      this.tell();
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.socket !== socket) return;
      spoke = true;
      this.backoff.reset();
      window.clearTimeout(this.silentTimer);
      if (this.wanted?.length !== 0) this.silentTimer = window.setTimeout(() => this.again(), SILENT_MS);
      this.receive(event.data);
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      if (!spoke) this.options.refused();
      this.again();
    };
    this.socket = socket;
  }

  /** A wish that changed since the connection was asked for, or since the last. */
  private tell(): void {
    const { socket, wanted } = this;
    if (!wanted || socket?.readyState !== WebSocket.OPEN || wanted.join() === this.told) return;
    this.told = wanted.join();
    socket.send(JSON.stringify({ want: wanted }));
  }

  private receive(data: unknown): void {
    const { multiplexed, sinks } = this.options;
    const message = typeof data === 'string' ? parseText(data, multiplexed)
      : data instanceof ArrayBuffer ? parseBinary(data, multiplexed)
      : null;
    if (!message || message.type === 'unknown') return;
    const sink = sinks[message.ch];
    if (!sink) return;
    if (message.type === 'media') sink.media(message.bytes);
    else if (message.type === 'format') sink.format(message);
    else if (message.type === 'state') sink.state(message.state);
    else if (message.type === 'skipped') sink.skipped?.();
    else if (message.type === 'sound') sink.sound?.(message);
    else if (message.type === 'refused') sink.refused?.(message.kind);
  }

  private hangUp(): void {
    window.clearTimeout(this.retryTimer);
    window.clearTimeout(this.silentTimer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private again(): void {
    this.hangUp();
    if (this.closed || document.hidden) return;
    this.options.status('retrying');
    this.retryTimer = window.setTimeout(() => this.connect(), this.backoff.next());
  }

  private readonly onVisibility = (): void => {
    window.clearTimeout(this.hideTimer);
    if (!document.hidden) {
      this.connect();
      return;
    }
    // A glance at another app should not cost a new connection.
    this.hideTimer = window.setTimeout(() => {
      this.hangUp();
      this.options.status('hidden');
    }, HIDE_MS);
  };

  private readonly onOnline = (): void => {
    if (this.socket || document.hidden) return;
    this.backoff.reset();
    this.connect();
  };
}
