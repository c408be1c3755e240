// The page's words. One file per language under texts/, same keys; a template gets its variables as {name}.

import en from '../texts/en.json';
import vi from '../texts/vi.json';
import { Signal, useSignal } from './signal';
import { recall, remember } from './storage';

export type Lang = 'vi' | 'en';
export type TextKey = keyof typeof vi;
export type Vars = { [name: string]: string | number };

const TEXTS: { [lang in Lang]: { [key in TextKey]: string } } = { vi, en };
const LOCALES: { [lang in Lang]: string } = { vi: 'vi-VN', en: 'en-GB' };

const remembered = recall('lang');
const lang = new Signal<Lang>(remembered === 'en' ? 'en' : 'vi');

export function setLang(next: Lang): void {
  remember('lang', next);
  apply(next);
}

/** The site's own language, for whoever has not chosen. */
export function offerLang(next: string): void {
  if (recall('lang') === null && (next === 'vi' || next === 'en')) apply(next);
}

function apply(next: Lang): void {
  document.documentElement.lang = next;
  lang.set(next);
}

/** Redraws the caller when the language changes. */
export function useLang(): Lang {
  return useSignal(lang);
}

export function isKey(key: string): key is TextKey {
  return Object.prototype.hasOwnProperty.call(vi, key);
}

export function t(key: TextKey, vars: Vars = {}): string {
  return TEXTS[lang.value][key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in vars ? String(vars[name]) : whole));
}

/** The text of a key that came from the server, or of `otherwise` when this page is older than the server. */
export function tKey(key: string, otherwise: TextKey, vars: Vars = {}): string {
  return t(isKey(key) ? key : otherwise, vars);
}

/** A number with the language's decimal sign. */
export function num(value: number, digits = 0): string {
  return value.toLocaleString(LOCALES[lang.value], { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

document.documentElement.lang = lang.value;
