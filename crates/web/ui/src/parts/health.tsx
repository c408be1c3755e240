// A camera's state in a word and a colour; the colour is never the only sign.

import { tKey } from '../i18n';

export type Tone = 'good' | 'busy' | 'bad';

export function toneOf(link: string): Tone {
  if (link === 'ok') return 'good';
  return link === 'starting' || link === 'queued' || link === 'connecting' || link === 'ended' ? 'busy' : 'bad';
}

export function linkText(link: string): string {
  return tKey(`cam.${link}`, 'cam.unknown');
}

export function linkTodo(link: string): string {
  return tKey(`cam.${link}.todo`, 'cam.unknown.todo');
}

export function noteText(note: string): string {
  return tKey(`note.${note}`, 'note.unknown');
}

export function State({ link }: { link: string }) {
  return <span class={`state ${toneOf(link)}`}>{linkText(link)}</span>;
}

/** In a word, and as a sentence that says what to do. */
export function ringWord(state: string): string {
  return tKey(`ring.${state}.word`, 'ring.unknown.word');
}

export function ringText(state: string): string {
  return tKey(`ring.${state}`, 'ring.unknown');
}

export function ringTone(state: string): Tone {
  if (state === 'ok') return 'good';
  return state === 'failed' ? 'bad' : 'busy';
}
