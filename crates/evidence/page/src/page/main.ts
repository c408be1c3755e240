// The page: choosing a file, progress, and the verdict. Everything a package says is shown as text. Judging does not belong here.

import { Stopped, Task, judge, type Manifest, type Verdict } from '../verify/judge';
import { about, headline, isGood, sentence } from './result';
import { words, type Lang } from './texts';

type State =
  | { is: 'idle' }
  | { is: 'busy'; task: Task }
  | { is: 'stopped' }
  | { is: 'failed'; why: string }
  | { is: 'done'; verdict: Verdict; manifest: Manifest | null };

declare global {
  interface Window {
    matthonVerify: (file: Blob, key?: string) => Promise<Verdict>;
  }
}

window.matthonVerify = async (file, key) => (await judge(file, key)).verdict;

let lang: Lang = 'vi';
let state: State = { is: 'idle' };
let chosen: File | null = null;
let part = 0;

const root = document.getElementById('page') as HTMLElement;
const typed = document.createElement('input');
const picker = document.createElement('input');

/** An element with a class and text or children. Text is never read as HTML. */
function el(tag: string, name: string, ...inside: (string | Node)[]): HTMLElement {
  const made = document.createElement(tag);
  if (name) made.className = name;
  for (const one of inside) made.appendChild(typeof one === 'string' ? document.createTextNode(one) : one);
  return made;
}

function button(name: string, text: string, pressed: () => void): HTMLElement {
  const made = el('button', name, text) as HTMLButtonElement;
  made.type = 'button';
  made.onclick = pressed;
  return made;
}

function begin(file: File): void {
  if (state.is === 'busy') state.task.stopped = true;
  chosen = file;
  part = 0;
  const task = new Task((done) => {
    part = done;
    progress();
  });
  // What an earlier file's check still says is no news any more.
  const current = (next: State) => {
    if (state.is !== 'busy' || state.task !== task) return;
    state = next;
    draw();
  };
  state = { is: 'busy', task };
  draw();
  const known = typed.value.trim();
  judge(file, known === '' ? undefined : known, task).then(
    ({ verdict, manifest }) => current({ is: 'done', verdict, manifest }),
    (error) => current(error instanceof Stopped ? { is: 'stopped' } : { is: 'failed', why: String(error) }),
  );
}

function progress(): void {
  const percent = Math.floor(part * 100);
  const bar = document.getElementById('bar') as HTMLProgressElement | null;
  const number = document.getElementById('percent');
  if (bar) bar.value = percent;
  if (number) number.textContent = `${percent} %`;
}

function chooser(): HTMLElement {
  const t = words(lang);
  const label = el('label', 'label', t('key.label')) as HTMLLabelElement;
  label.htmlFor = typed.id;
  const area = el('div', 'drop', button('main', chosen ? t('other') : t('pick'), () => picker.click()), el('p', 'quiet', t('drop')));
  const out = el('section', 'card', label, typed, el('p', 'quiet', t('key.hint')), area);
  const file = chosen;
  if (file && state.is !== 'busy') area.insertBefore(button('', t('again'), () => begin(file)), area.lastChild);
  return out;
}

function busy(task: Task): HTMLElement {
  const t = words(lang);
  const bar = document.createElement('progress');
  bar.id = 'bar';
  bar.max = 100;
  bar.setAttribute('aria-label', t('progress'));
  const number = el('p', 'percent');
  number.id = 'percent';
  return el('section', 'card', el('p', '', t('busy', { file: chosen ? chosen.name : '' })), bar, number,
    button('', t('stop'), () => { task.stopped = true; }));
}

function done(verdict: Verdict, manifest: Manifest | null): Node[] {
  const t = words(lang);
  const good = isGood(verdict, manifest);
  const head = el('section', `card verdict ${good ? 'good' : 'bad'}`, el('h2', '', headline(verdict, manifest, lang, t)));
  head.id = 'verdict';
  if (chosen) head.appendChild(el('p', '', chosen.name));
  const out: Node[] = [head];
  if (verdict.fingerprint !== null && verdict.key_matches === null) {
    out.push(el('section', 'card warn', el('p', '', t('key.unknown.long')), el('p', 'mark', verdict.fingerprint)));
  }
  if (verdict.findings.length > 0) {
    const list = el('ul', '', ...verdict.findings.map((f) => el('li', '', sentence(f, manifest, lang, t))));
    const card = el('section', 'card', el('h2', '', t('findings')), list);
    const more = verdict.found - verdict.findings.length;
    if (more > 0) card.appendChild(el('p', '', t('findings.more', { n: more })));
    out.push(card);
  }
  if (manifest) {
    const list = el('dl', '');
    for (const line of about(verdict, manifest, lang, t)) {
      list.appendChild(el('dt', '', line.name));
      for (const value of line.values) list.appendChild(el('dd', '', value));
    }
    out.push(el('section', 'card', el('h2', '', t(verdict.fingerprint === null ? 'about.unsigned' : 'about')), list));
  }
  return out;
}

function now(): Node[] {
  const t = words(lang);
  switch (state.is) {
    case 'idle': return [];
    case 'busy': return [busy(state.task)];
    case 'stopped': return [el('section', 'card warn', el('p', '', t('stopped')))];
    case 'failed': return [el('section', 'card warn', el('p', '', t('failed', { why: state.why })))];
    case 'done': return done(state.verdict, state.manifest);
  }
}

function draw(): void {
  const t = words(lang);
  document.documentElement.lang = lang;
  document.title = `${t('title')} – Mắt Thôn`;
  const other = button('lang', t('lang.other'), () => {
    lang = lang === 'vi' ? 'en' : 'vi';
    draw();
  });
  const result = el('div', '', ...now());
  result.setAttribute('aria-live', 'polite');
  const focused = document.activeElement === typed;
  while (root.firstChild) root.removeChild(root.firstChild);
  const parts = [el('header', '', el('h1', '', t('title')), other), el('p', '', t('lead')), chooser(), result, el('p', 'limit', t('limit'))];
  for (const one of parts) root.appendChild(one);
  if (focused) typed.focus();
  progress();
}

typed.id = 'key';
typed.autocomplete = 'off';
typed.spellcheck = false;
picker.type = 'file';
picker.id = 'file';
picker.hidden = true;
picker.accept = '.zip,application/zip';
picker.onchange = () => {
  const file = picker.files && picker.files[0];
  if (file) begin(file);
  // The same file can be chosen again.
  picker.value = '';
};
document.body.appendChild(picker);
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  const file = event.dataTransfer && event.dataTransfer.files[0];
  if (file) begin(file);
});
draw();
