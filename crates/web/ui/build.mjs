// Builds the pages: dist/index.html, app-HASH.js, app-HASH.css, sw.js, manifest.webmanifest, icons; tv.html, tv-HASH.js, tv-HASH.css.
// The same sources give the same bytes. `node build.mjs --watch` is not offered: a build takes a fraction of a second.
import { build } from 'esbuild';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintScript, lintStyle } from './tv-lint.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, 'dist');

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: { app: 'src/main.tsx' },
  outdir: 'dist',
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2017', 'chrome68'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  metafile: true,
  logLevel: 'warning',
});

const names = Object.keys(result.metafile.outputs).map((file) => path.basename(file));
const one = (ext) => {
  const found = names.filter((name) => name.endsWith(ext));
  if (found.length !== 1) throw new Error(`expected one ${ext} file in the bundle, got ${found.join(', ') || 'none'}`);
  return found[0];
};

// The service worker has one name for ever: browsers ask for it again under the name it was registered by. Of the texts it gets its own few.
const WORDS = ['app.name', 'push.fallback', 'push.open', 'push.seen'];
const words = {};
for (const lang of ['vi', 'en']) {
  const texts = JSON.parse(await readFile(path.join(here, `texts/${lang}.json`), 'utf8'));
  words[lang] = Object.fromEntries(WORDS.map((key) => [key, texts[key]]));
}
await build({
  absWorkingDir: here,
  entryPoints: { sw: 'src/sw/worker.ts' },
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2017', 'chrome68'],
  define: { WORDS: JSON.stringify(words) },
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
});

// The TV's page: a bundle of its own, with its own few words, for the browsers that TVs have.
const tvTexts = {};
for (const lang of ['vi', 'en']) {
  const texts = JSON.parse(await readFile(path.join(here, `texts/${lang}.json`), 'utf8'));
  tvTexts[lang] = Object.fromEntries(Object.entries(texts).filter(([key]) => key.startsWith('tv.')));
}
const tv = await build({
  absWorkingDir: here,
  entryPoints: { tv: 'src/tv/main.ts' },
  outdir: 'dist',
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2017', 'chrome68'],
  define: { TV_TEXTS: JSON.stringify(tvTexts) },
  legalComments: 'none',
  charset: 'utf8',
  metafile: true,
  logLevel: 'warning',
});
const tvFiles = { script: '', style: '' };
for (const file of Object.keys(tv.metafile.outputs)) {
  const text = await readFile(path.join(here, file), 'utf8');
  const young = file.endsWith('.css') ? lintStyle(text) : lintScript(text);
  if (young.length > 0) throw new Error(`${file}: ${young.join('; ')}`);
  tvFiles[file.endsWith('.css') ? 'style' : 'script'] = path.basename(file);
}
const tvPage = await readFile(path.join(here, 'src/tv/tv.html'), 'utf8');
await writeFile(path.join(dist, 'tv.html'), tvPage.replace('{{script}}', tvFiles.script).replace('{{style}}', tvFiles.style));

const template = await readFile(path.join(here, 'src/index.html'), 'utf8');
await writeFile(path.join(dist, 'index.html'), template.replace('{{script}}', one('.js')).replace('{{style}}', one('.css')));
await cp(path.join(here, 'public'), dist, { recursive: true });
