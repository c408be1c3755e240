// Any number of live pictures on one page, each on its own rung of the ladder. Those on the socket share one. No framework, no words.

import { Ladder, rungsFor, type Rung } from './ladder';
import { HlsPlayer, canPlayHls } from './hls';
import { LivePlayer } from './player';
import { LiveSession, type LiveSink, type SessionStatus } from './session';
import { Stills } from './stills';
import { canPlayHevc, mediaSourceClass } from './support';
import { FRESH, type PlayerState } from './shown';
import type { SoundState } from './voice';
import { RtcPlayer, canRtc } from './webrtc';

export type StreamName = 'main' | 'sub';

export interface Channel {
  player: PlayerState;
  /** The camera's state as the socket last said it; null while it said nothing. */
  link: string | null;
  /** Which stream arrives; null until that is known. */
  stream: string | null;
  rung: Rung;
  /** Address of the newest single picture, while that is what is shown. */
  still: string | null;
  /** The codec that this browser cannot play live, if that is why it is on this rung. */
  refused: string | null;
  sound: SoundState;
  /** The box converts as many pictures as it can, and this is none of them. */
  full: boolean;
  /** The box converts the picture. */
  converted: boolean;
  /** Parts of the picture are black. */
  covered: boolean;
  /** Another stream than the one asked for, because this browser cannot play that. */
  instead: boolean;
}

export interface ViewOptions {
  cameras: readonly string[];
  stream: StreamName;
  /** All pictures over the multiplexed socket; one camera alone has a socket of its own. */
  grid: boolean;
  videos: readonly (HTMLVideoElement | null)[];
  changed: (ch: number, part: Partial<Channel>) => void;
  status: (status: SessionStatus) => void;
  /** Something was refused: perhaps the login ended. True: the box answers and the login holds. */
  refused: () => Promise<boolean>;
  /** Bytes came over the network. */
  used?: (bytes: number) => void;
  /** One rung, whether it works or not. */
  only?: Rung | null;
  /** The box answers WebRTC on the way this page came. */
  webrtc: boolean;
  /** Data is spared: single pictures, but where something moves. */
  sparing?: boolean;
  /** Milliseconds from one single picture to the next. */
  everyMs: number;
  /** One camera alone, on the socket, can be heard. */
  sound?: boolean;
}

const TICK_MS = 1000;
/** A camera whose codec the box did not know when it was asked is asked for again after so long, so many times. */
const AGAIN = { afterMs: 2000, most: 3 };
/** Left out for so short a time, a picture's player goes on where it was. */
const HIDE_MS = 2000;
/** Seconds that a tile which was scrolled out of sight goes on: what is scrolled past and back does not begin anew. */
const LINGER = 2;
/** Tiles so far out of sight are made ready already. */
const MARGIN = '25% 0px';

interface Seat {
  ch: number;
  camera: string;
  video: HTMLVideoElement | null;
  ladder: Ladder;
  rung: Rung | null;
  player: LivePlayer | HlsPlayer | RtcPlayer | null;
  stills: Stills | null;
  state: PlayerState;
  link: string | null;
  sound: SoundState;
  /** The camera's state as the page knows it otherwise. */
  health: string;
  inSight: boolean;
  /** Something moves before this camera. */
  stirs: boolean;
  /** When it was last seen to leave the sight, in seconds of `now`. */
  left: number;
  /** How often its pictures were asked for in H.264 since it last played. */
  tries: number;
}

const now = () => performance.now() / 1000;

/** On this way a picture has a connection of its own, which nothing closes while nobody sees it. */
const asksItself = (rung: Rung) => rung === 'hls' || rung === 'webrtc';

export class LiveView {
  private readonly seats: Seat[];
  private session: LiveSession | null = null;
  private shared = '';
  private hears: boolean;
  private sessionStatus: SessionStatus = 'connecting';
  private hidden = document.hidden;
  private hideTimer = 0;
  /** Only H.264 is asked for: the box converts what is something else. */
  private h264 = !canPlayHevc();
  private again = 0;
  private readonly timer: number;
  private readonly sight: IntersectionObserver | null = null;
  /** What is in sight is known. */
  private sighted = false;

  constructor(private readonly options: ViewOptions) {
    this.hears = options.sound === true && !options.grid;
    const can = { mediaSource: mediaSourceClass() !== null, webrtc: options.webrtc && canRtc(), nativeHls: canPlayHls() };
    const rungs = rungsFor(can, options.only ?? null);
    this.seats = options.cameras.map((camera, ch) => ({
      ch, camera, video: options.videos[ch] ?? null, ladder: new Ladder(rungs, now()), rung: null, player: null, stills: null, state: FRESH, link: null, sound: 'off', health: 'ok', inSight: true, stirs: false, left: -Infinity, tries: 0,
    }));
    if (typeof IntersectionObserver === 'function') {
      this.sight = new IntersectionObserver((entries) => {
        for (const entry of entries) {
          const seat = this.seats.find((one) => one.video === entry.target);
          if (!seat) continue;
          // What was never seen has nothing to go on with.
          if (this.sighted && seat.inSight && !entry.isIntersecting) seat.left = now();
          seat.inSight = entry.isIntersecting;
        }
        this.sighted = true;
        this.settle();
      }, { rootMargin: MARGIN });
      for (const seat of this.seats) if (seat.video) this.sight.observe(seat.video);
    }
    document.addEventListener('visibilitychange', this.onVisibility);
    this.timer = window.setInterval(() => this.tick(), TICK_MS);
    this.settle();
  }

  /** After a tap: some browsers do not start by themselves. */
  play(ch: number): void {
    this.seats[ch]?.player?.play();
  }

  /** With sound or without: in the tap that asks for it. */
  sound(on: boolean): void {
    if (this.options.grid || this.hears === on) return;
    this.hears = on;
    for (const seat of this.seats) if (seat.player instanceof LivePlayer) seat.player.listen(on);
    this.share();
  }

  /** What the page learnt of a camera on another way. */
  health(ch: number, link: string): void {
    const seat = this.seats[ch];
    if (seat) seat.health = link;
  }

  /** Whether something moves before the camera. */
  stir(ch: number, on: boolean): void {
    const seat = this.seats[ch];
    if (!seat || seat.stirs === on) return;
    seat.stirs = on;
    this.settle();
  }

  close(): void {
    window.clearInterval(this.timer);
    window.clearTimeout(this.hideTimer);
    window.clearTimeout(this.again);
    document.removeEventListener('visibilitychange', this.onVisibility);
    this.sight?.disconnect();
    this.session?.close();
    this.session = null;
    for (const seat of this.seats) this.clear(seat);
  }

  /** Gives every picture the player of its rung, and the socket the cameras that are on it. */
  private settle(): void {
    for (const seat of this.seats) {
      const wanted = this.spared(seat) ? 'stills' : seat.ladder.rung;
      if (seat.rung !== wanted) this.take(seat, wanted);
      // The socket closes itself when the page is hidden; what asks by itself must be told.
      const asleep = !this.awake(seat) || (asksItself(wanted) && this.hidden);
      if (asleep && seat.player) this.rest(seat);
      else if (!asleep && wanted !== 'stills' && !seat.player) this.begin(seat, wanted);
      seat.stills?.see(!this.hidden && seat.inSight);
    }
    this.share();
  }

  private take(seat: Seat, rung: Rung): void {
    this.clear(seat);
    seat.rung = rung;
    this.options.changed(seat.ch, { rung, player: FRESH });
    if (rung === 'stills') this.begin(seat, rung);
  }

  /** Lets go of a picture that nobody sees: decoder, memory and bytes. */
  private rest(seat: Seat): void {
    this.clear(seat);
    this.options.changed(seat.ch, { player: FRESH });
  }

  private spared(seat: Seat): boolean {
    return this.options.sparing === true && !seat.stirs;
  }

  /** Whether a picture is to move: one that was scrolled out of sight is not. */
  private awake(seat: Seat): boolean {
    if (seat.inSight) return true;
    return seat.rung === 'socket' && (!this.options.grid || now() - seat.left < LINGER);
  }

  private clear(seat: Seat): void {
    seat.player?.close();
    seat.stills?.close();
    if (seat.sound === 'on' || seat.sound === 'waiting') this.voiced(seat, 'off');
    seat.player = null;
    seat.stills = null;
    seat.state = FRESH;
  }

  private begin(seat: Seat, rung: Rung): void {
    const { video, ch } = seat;
    const base = `/api/v1/cameras/${encodeURIComponent(seat.camera)}`;
    if (rung === 'stills') {
      seat.stills = new Stills({
        url: `${base}/snapshot.jpg?stream=${this.options.stream}`,
        everyMs: this.options.everyMs,
        picture: (still, bytes) => {
          this.options.used?.(bytes);
          this.options.changed(ch, { still, stream: this.options.stream });
        },
        status: (status) => this.said(seat, { ...FRESH, status }),
        refused: () => void this.options.refused(),
      });
    } else if (video && rung === 'socket') {
      const player = new LivePlayer(video, (state) => this.said(seat, state), (sound) => this.voiced(seat, sound));
      player.listen(this.hears);
      seat.player = player;
    } else if (video && rung === 'webrtc') {
      this.options.changed(ch, { stream: this.options.stream });
      seat.player = new RtcPlayer(video, {
        url: `${base}/webrtc?stream=${this.options.stream}`,
        changed: (state) => this.said(seat, state),
        refused: () => void this.options.refused(),
        used: (bytes) => this.options.used?.(bytes),
      });
    } else if (video) {
      this.options.changed(ch, { stream: this.options.stream });
      seat.player = new HlsPlayer(video, `${base}/hls/index.m3u8?${this.query()}`, (state) => this.said(seat, state));
    }
  }

  /** A player's news. */
  private said(seat: Seat, state: PlayerState): void {
    const before = seat.state.status;
    if (state.status === 'unsupported' && seat.rung !== 'webrtc' && this.convert(seat)) state = { ...state, status: 'waiting' };
    seat.state = state;
    const part: Partial<Channel> = { player: state };
    if (state.status === 'playing') seat.tries = 0;
    if (state.status === 'playing' && seat.rung !== 'stills') part.still = null;
    // What WebRTC does not carry the ways below may play.
    if (state.status === 'unsupported' && seat.rung !== 'webrtc') part.refused = state.codec;
    this.options.changed(seat.ch, part);
    if (state.status === before) return;
    if (state.status === 'unsupported') {
      // WebRTC carries H.264 only: what else a socket brought needs no asking.
      if (state.codec !== 'H.264') seat.ladder.spare('webrtc');
      seat.ladder.cannot(now());
    } else if (this.fair(seat) && (state.status === 'stalled' || state.status === 'failed')) seat.ladder.strike(now());
    // Not in the middle of a player's own step.
    if (!this.spared(seat) && seat.ladder.rung !== seat.rung) window.setTimeout(() => this.settle(), 0);
  }

  /** News of the sound. What cannot be played is not fetched, either. */
  private voiced(seat: Seat, sound: SoundState): void {
    if (seat.sound === sound) return;
    seat.sound = sound;
    this.options.changed(seat.ch, { sound });
    if (sound !== 'unsupported' && sound !== 'failed') return;
    this.hears = false;
    // Not in the middle of a message.
    window.setTimeout(() => this.share(), 0);
  }

  /** Which stream, and in what. */
  private query(): string {
    return `stream=${this.options.stream}${this.h264 ? '&codec=h264' : ''}`;
  }

  /** Asks for what this browser can play, soon; false when it was asked for often enough. */
  private convert(seat: Seat): boolean {
    if (seat.tries >= AGAIN.most) return false;
    if (this.again !== 0) return true;
    seat.tries += 1;
    this.again = window.setTimeout(() => {
      this.again = 0;
      this.h264 = true;
      this.shared = '';
      this.session?.close();
      this.session = null;
      this.settle();
    }, this.h264 ? AGAIN.afterMs : 0);
    return true;
  }

  /** One socket for all that are on it; another one when they are others. */
  private share(): void {
    const { grid } = this.options;
    // A tile that leaves the socket for a while is left out of what is wanted: the others' pictures go on.
    const on = this.seats.filter((seat) => (grid ? seat.ladder.may('socket') : seat.rung === 'socket'));
    const path = !this.seats.some((seat) => seat.rung === 'socket') ? ''
      : grid ? `/api/v1/live?cameras=${on.map((seat) => encodeURIComponent(seat.camera)).join(',')}&${this.query()}`
      : `/api/v1/cameras/${encodeURIComponent(on[0]?.camera ?? '')}/live${this.hears ? '/sound' : ''}?${this.query()}`;
    // At first all seem to be in sight: a moment later it is known which are.
    if (grid && this.sight && !this.sighted) return;
    const places = on.flatMap((seat, place) => (seat.rung === 'socket' && this.awake(seat) ? [place] : []));
    if (path === this.shared) {
      if (grid) this.session?.want(places);
      return;
    }
    this.shared = path;
    this.session?.close();
    this.session = null;
    if (path === '') {
      this.sessionStatus = 'open';
      this.options.status('open');
      return;
    }
    this.session = new LiveSession({
      path, multiplexed: grid || this.hears, sinks: on.flatMap((seat) => (this.hears ? [this.sink(seat), this.ear(seat)] : [this.sink(seat)])),
      status: (status) => {
        if (path !== this.shared) return;
        this.sessionStatus = status;
        this.options.status(status);
      },
      refused: () => void this.socketRefused(),
      wanted: grid ? places : null,
    });
  }

  private sink(seat: Seat): LiveSink {
    const player = () => (seat.rung === 'socket' && seat.player instanceof LivePlayer ? seat.player : null);
    return {
      format: (message) => {
        seat.link = 'ok';
        const { stream, converted, covered } = message;
        this.options.changed(seat.ch, { stream, converted, covered, instead: stream !== this.options.stream, full: false, link: 'ok' });
        // What is made of a camera's stream does not come by WebRTC.
        if (converted || covered) seat.ladder.spare('webrtc');
        player()?.format(message);
      },
      media: (bytes) => {
        this.options.used?.(bytes.length);
        player()?.media(bytes);
      },
      state: (link) => {
        seat.link = link;
        this.options.changed(seat.ch, { link });
      },
      refused: (kind) => {
        this.options.changed(seat.ch, { full: kind === 'renditions-full' || kind === 'renditions-yours' });
        seat.ladder.refuse(now());
        this.settle();
      },
      skipped: () => {
        seat.ladder.strike(now());
        this.settle();
      },
    };
  }

  /** The channel of the sound. */
  private ear(seat: Seat): LiveSink {
    const player = () => (seat.rung === 'socket' && seat.player instanceof LivePlayer ? seat.player : null);
    return {
      format: () => undefined,
      state: () => undefined,
      sound: (message) => player()?.sound(message),
      media: (bytes) => {
        this.options.used?.(bytes.length);
        player()?.soundMedia(bytes);
      },
    };
  }

  /** A socket that does not open although the box answers: something between does not let it through. */
  private async socketRefused(): Promise<void> {
    const answers = await this.options.refused().catch(() => false);
    if (!answers || this.hidden) return;
    for (const seat of this.seats) if (seat.rung === 'socket') seat.ladder.strike(now());
    this.settle();
  }

  /** Whether this picture should be moving: seen, and camera and box are there as far as is known. */
  private fair(seat: Seat): boolean {
    // What was not asked to move proves nothing.
    if (this.spared(seat)) return false;
    if (this.hidden || !this.awake(seat) || seat.state.status === 'tap') return false;
    // The box says only what is wrong: a stream that is well shows it by its frames.
    if (seat.rung === 'socket') return this.sessionStatus === 'open' && (seat.link ?? 'ok') === 'ok';
    return seat.health === 'ok';
  }

  private tick(): void {
    // Where the browser lays nothing out, nobody waits for what it sees.
    this.sighted = true;
    for (const seat of this.seats) seat.ladder.tick(now(), seat.state.status === 'playing', this.fair(seat));
    this.settle();
  }

  private readonly onVisibility = (): void => {
    window.clearTimeout(this.hideTimer);
    if (!document.hidden) {
      this.hidden = false;
      this.settle();
      return;
    }
    // A glance at another app should not cost a new beginning.
    this.hideTimer = window.setTimeout(() => {
      this.hidden = true;
      this.settle();
    }, HIDE_MS);
  };
}
