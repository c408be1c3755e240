// The TV's few words; its bundle carries no others.

export type Lang = 'vi' | 'en';

/** The texts of `texts/*.json` that begin with `tv.`, put in by the build. */
declare const TV_TEXTS: { [lang in Lang]: { [key: string]: string } };

let lang: Lang = 'vi';

export function speak(next: string): void {
  lang = next === 'en' ? 'en' : 'vi';
  document.documentElement.lang = lang;
}

export function word(key: string, vars: { [name: string]: string | number } = {}): string {
  const text = TV_TEXTS[lang][key] || key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in vars ? String(vars[name]) : whole));
}
