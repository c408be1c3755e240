// What a push message becomes on the screen. Pure; whatever comes, something is shown: a browser that is woken and shows nothing is cut off.

export interface Words {
  [lang: string]: { [key: string]: string } | undefined;
}

export interface Notice {
  title: string;
  body: string;
  tag: string;
  lang: string;
  /** Where a tap leads: a path of the page. */
  url: string;
  /** The case; null: unknown. */
  id: number | null;
  image: string | null;
  /** When it happened, in milliseconds since 1970. */
  at: number | null;
  /** It waits for a person; else it only replaces what was shown. */
  open: boolean;
  /** What can be tapped beside the notice itself. */
  actions: { action: string; title: string }[];
}

const CASES = '/vu-viec';

export function noticeOf(text: string | null, words: Words): Notice {
  const read = parse(text);
  const say = (name: string) => (typeof read[name] === 'string' ? (read[name] as string) : '');
  const lang = say('language') === 'en' ? 'en' : 'vi';
  const word = (key: string) => words[lang]?.[key] ?? '';
  const id = typeof read['id'] === 'number' && Number.isInteger(read['id']) && read['id'] > 0 ? read['id'] : null;
  const open = read['open'] !== false;
  const at = Date.parse(say('time'));
  const sentence = say('sentence');
  return {
    title: say('site') || word('app.name'),
    body: [sentence || word('push.fallback'), say('late')].filter((line) => line !== '').join('\n'),
    tag: id === null ? 'matthon' : `case-${id}`,
    lang,
    // The box's word alone: an address of somewhere else is none.
    url: id === null ? CASES : `${CASES}/${id}`,
    id,
    image: /^\/m\/[0-9a-f]+$/.test(say('image')) ? say('image') : null,
    at: Number.isFinite(at) ? at : null,
    open,
    actions: open && id !== null ? [{ action: 'seen', title: word('push.seen') }, { action: 'open', title: word('push.open') }] : [],
  };
}

function parse(text: string | null): { [name: string]: unknown } {
  try {
    const read: unknown = JSON.parse(text ?? '');
    return typeof read === 'object' && read !== null ? (read as { [name: string]: unknown }) : {};
  } catch {
    return {};
  }
}
