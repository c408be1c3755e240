// Builds dist/verify.html: one file with its script and style inside, for a browser without a network.
// The same sources give the same bytes.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

const result = await build({
  absWorkingDir: here,
  entryPoints: { script: 'src/page/main.ts', style: 'src/page/style.css' },
  outdir: 'dist',
  write: false,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2017', 'chrome68'],
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
});

const text = (ext) => {
  const found = result.outputFiles.find((file) => file.path.endsWith(ext));
  if (!found) throw new Error(`no ${ext} file in the bundle`);
  return found.text;
};

// Neither may end the element it stands in.
const script = text('.js').replace(/<\/script/gi, (found) => found.replace('/', '\\/'));
const style = text('.css');
if (script.includes('<!--') || /<\/style/i.test(style)) throw new Error('the page would be read as something else');
const hash = (part) => `'sha256-${createHash('sha256').update(part).digest('base64')}'`;

const parts = { 'script-hash': hash(script), 'style-hash': hash(style), script, style };
const template = await readFile(path.join(here, 'src/page/page.html'), 'utf8');
const page = template.replace(/\{\{([a-z-]+)\}\}/g, (_, name) => parts[name]);
await mkdir(path.join(here, 'dist'), { recursive: true });
await writeFile(path.join(here, 'dist/verify.html'), page);
