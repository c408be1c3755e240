// The TV's page: let in, or the wall, or a plain page while people meet. Comes back by itself from whatever went away.

import { LivePlayer } from '../player/player';
import type { PlayerState } from '../player/shown';
import { LiveSession, type SessionStatus } from '../player/session';
import { recall, remember } from '../storage';
import { ask, own, Refused, type Own, type Site, type View } from './box';
import { boxNow, clockText, setZone } from './clock';
import { keyOf, type Key } from './keys';
import { going, moved, offered } from './meeting';
import { Menu, type Choice } from './menu';
import { PairingLoop } from './pairing';
import { speak, word } from './words';
import './tv.css';

const MEETING = 'tv.meeting';
const SITE = 'tv.site';
/** So often the TV asks how its wall stands: a TV that was let go learns it, words of trouble change. */
const ASK_MS = 15_000;
/** A page in the corner is shown for so long after a key. */
const NOTE_MS = 3000;

const part = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const video = part('wall') as HTMLVideoElement;
const plain = part('plain');
const note = part('note');

let tv: Own | null = null;
/** Known from here on: a session tells its status before it can be kept. */
let watching = false;
let session: LiveSession | null = null;
let player: LivePlayer | null = null;
let pairing: PairingLoop | null = null;
let menu: Menu | null = null;
let line: SessionStatus = 'connecting';
let picture: PlayerState['status'] = 'waiting';
let noteTimer = 0;
let askTimer = 0;
/** The box refuses or does not answer: words for the middle of the screen. */
let away = '';
let code = '';

function know(site: Site): void {
  speak(site.language);
  setZone(site.timezone);
  remember(SITE, JSON.stringify({ name: site.name, timezone: site.timezone, language: site.language }));
  part('village').textContent = site.name;
}

/** Draws everything from what is known; cheap, once a second. */
function draw(): void {
  const now = boxNow();
  const end = going(recall(MEETING), now);
  if (tv && end === null && !watching) watch();
  if (end !== null && watching) unwatch();
  const live = tv !== null && end === null && line === 'open' && picture === 'playing';
  document.body.setAttribute('data-state', !tv ? (code ? 'pairing' : 'starting') : end !== null ? 'meeting' : live ? 'live' : 'waiting');
  plain.hidden = live;
  part('clock').textContent = clockText(now);
  part('code').textContent = tv ? '' : code.slice(0, 3) + (code ? ' ' : '') + code.slice(3);
  part('say').textContent = words(end);
}

function words(end: number | null): string {
  if (away) return away;
  if (!tv) return code ? word('tv.how') : word('tv.starting');
  if (end !== null) return word('tv.meeting_until', { time: clockText(end) });
  if (line === 'retrying') return word('tv.lost');
  if (picture === 'unsupported' || picture === 'failed') return word('tv.cannot_play');
  return tv.view.trouble ? word('tv.trouble') : word('tv.waiting');
}

function watch(): void {
  watching = true;
  picture = 'waiting';
  line = 'connecting';
  const own = new LivePlayer(video, (state) => {
    picture = state.status;
    // Muted, it may start by itself; where not, the next key is a tap.
    draw();
  });
  player = own;
  session = new LiveSession({
    path: '/api/v1/tv/live',
    multiplexed: false,
    sinks: [{ format: (message) => own.format(message), media: (bytes) => own.media(bytes), state: () => undefined }],
    status: (status) => {
      line = status;
      draw();
    },
    refused: () => void look(),
  });
}

function unwatch(): void {
  watching = false;
  if (session) session.close();
  if (player) player.close();
  session = null;
  player = null;
}

/** Asks what this TV is; goes on asking, for ever. */
async function look(): Promise<void> {
  window.clearTimeout(askTimer);
  askTimer = window.setTimeout(() => void look(), ASK_MS);
  try {
    const found = await own();
    away = '';
    code = '';
    if (pairing) pairing.close();
    pairing = null;
    know(found.site);
    tv = found;
  } catch (error) {
    const status = error instanceof Refused ? error.status : 0;
    if (status === 401) letGo();
    else if (!tv) away = word('tv.lost');
  }
  draw();
}

/** Nobody has let this screen in, or not any more. */
function letGo(): void {
  tv = null;
  unwatch();
  closeMenu();
  if (pairing) return;
  pairing = new PairingLoop({
    code: (made) => {
      know(made.site);
      away = '';
      code = made.code;
      draw();
    },
    trouble: (status) => {
      code = status === 0 ? code : '';
      away = status === 404 ? word('tv.inside_only') : status === 503 ? word('tv.too_many') : word('tv.lost');
      draw();
    },
    paired: () => void look(),
  });
}

function say(text: string): void {
  note.textContent = text;
  note.hidden = false;
  window.clearTimeout(noteTimer);
  noteTimer = window.setTimeout(() => (note.hidden = true), NOTE_MS);
}

async function turn(what: string): Promise<void> {
  try {
    const view = await ask<View>('POST', 'tv/turn', { turn: what });
    if (tv) tv.view = view;
    say(word('tv.page', { page: view.page, pages: view.pages, tiles: view.tiles }));
  } catch (error) {
    say(word('tv.lost'));
  }
}

function closeMenu(): void {
  if (menu) menu.close();
  menu = null;
}

function open(title: string, choices: Choice[]): void {
  closeMenu();
  menu = new Menu(part('menu'), title, choices, closeMenu);
}

function mainMenu(): void {
  if (!tv) return;
  const end = going(recall(MEETING), boxNow());
  const meeting: Choice = end === null
    ? { id: 'meeting', text: () => word('tv.meeting'), ok: meetingMenu }
    : { id: 'meeting-end', text: () => word('tv.meeting_end'), ok: () => meet('') };
  open(tv.name, [
    { id: 'close', text: () => word('tv.close'), ok: closeMenu },
    meeting,
    { id: 'leave', text: () => word('tv.leave'), ok: leaveMenu },
  ]);
}

function meetingMenu(): void {
  let end = offered(boxNow());
  open(word('tv.meeting'), [
    { id: 'until', text: () => word('tv.until', { time: clockText(end) }), change: (steps) => (end = moved(end, steps, boxNow())), ok: () => meet(String(end)) },
    { id: 'close', text: () => word('tv.close'), ok: closeMenu },
  ]);
}

function meet(end: string): void {
  remember(MEETING, end);
  closeMenu();
  draw();
}

function leaveMenu(): void {
  open(word('tv.leave_sure'), [
    { id: 'close', text: () => word('tv.stay'), ok: closeMenu },
    { id: 'leave-sure', text: () => word('tv.leave'), ok: () => void leave() },
  ]);
}

async function leave(): Promise<void> {
  closeMenu();
  try {
    await ask<void>('DELETE', 'tv');
    remember(MEETING, '');
  } catch (error) {
    say(word('tv.lost'));
  }
  await look();
}

function press(key: Key): void {
  if (menu) menu.key(key);
  else if (!tv) return;
  else if (key === 'ok') {
    if (picture === 'tap' && player) player.play();
    mainMenu();
  } else if (going(recall(MEETING), boxNow()) !== null || key === 'back') return;
  else void turn(key === 'right' ? 'next' : key === 'left' ? 'previous' : key === 'up' ? 'fewer' : 'more');
}

document.addEventListener('keydown', (event) => {
  const key = keyOf(event);
  // Back leaves the page only where there is nothing of ours to leave.
  if (!key || (key === 'back' && !menu)) return;
  event.preventDefault();
  press(key);
});
document.addEventListener('click', (event) => {
  if (!menu && event.target instanceof Node && !part('menu').contains(event.target)) press('ok');
});

try {
  const kept = JSON.parse(recall(SITE) || 'null') as Site | null;
  if (kept) know(kept);
} catch (error) {
  // Nothing was kept: the box will say.
}
window.setInterval(draw, 1000);
draw();
void look();
