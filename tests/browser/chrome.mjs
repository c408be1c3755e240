// The browser all tests share, the page's texts, and the skip where there is none. `TMPDIR` is where a browser puts its profile.
import { chromium } from 'playwright-core';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium'].find((file) => file && existsSync(file));

export const root = path.join(here, '../..');
const texts = (lang) => JSON.parse(readFileSync(path.join(root, `crates/web/ui/texts/${lang}.json`), 'utf8'));
export const vi = texts('vi');
export const en = texts('en');

/** Why the tests of this file are skipped, or false; told under `name` to whoever counts skips. `lacks`: what else is missing. */
export function skipping(name, lacks = false) {
  const skip = executablePath ? lacks : 'no Chromium at $CHROMIUM or /usr/bin/chromium';
  if (skip && process.env.MATTHON_SKIPS) appendFileSync(process.env.MATTHON_SKIPS, `${name}\n`);
  return skip;
}

/** `more`: further switches. */
export function launch(more = []) {
  return chromium.launch({ executablePath, args: [...ARGS, ...more], handleSIGINT: false, handleSIGTERM: false });
}

/** Where pictures of a village's pages go: the documentation's when asked for, else away with everything else. */
export function screensOf(village) {
  // The browser's profile goes where everything else goes, and away with it.
  process.env.TMPDIR = village.dir;
  const screens = process.env.UPDATE_SCREENS === '1' ? path.join(root, 'docs/screens') : path.join(village.dir, 'screens');
  mkdirSync(screens, { recursive: true });
  return screens;
}
