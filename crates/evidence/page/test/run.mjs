// Judges every package of a folder and compares with the verdict beside it, after the unit tests: node test/run.mjs
// The folder is named by EVIDENCE_CORPUS; `cargo test -p evidence` writes one.
import { build } from 'esbuild';
import { openAsBlob, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { own } from './own.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(path.join(tmpdir(), 'matthon-verify-'));
let wrong = 0;
const tell = (name, problem) => {
  if (problem) wrong += 1;
  console.log(`${problem ? 'FAILED' : 'ok'}  ${name}${problem ? `: ${problem}` : ''}`);
};

async function corpus(judge, folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.zip')).sort();
  if (names.length === 0) tell('corpus', `no package in ${folder}`);
  for (const name of names) {
    const want = JSON.parse(readFileSync(path.join(folder, name.replace(/zip$/, 'json')), 'utf8'));
    const { verdict } = await judge(await openAsBlob(path.join(folder, name)));
    const [has, wanted] = [verdict, want].map((v) => JSON.stringify(v));
    tell(name, has === wanted ? '' : `\n  has    ${has}\n  wanted ${wanted}`);
  }
}

try {
  const file = path.join(out, 'verify.mjs');
  await build({
    entryPoints: [path.join(here, 'entry.ts')], outfile: file, bundle: true, platform: 'node', format: 'esm', target: 'node20',
    logLevel: 'warning',
  });
  const program = await import(pathToFileURL(file).href);
  for (const [name, test] of own(program)) {
    try {
      await test();
      tell(name, '');
    } catch (error) {
      tell(name, error.stack);
    }
  }
  const folder = process.env.EVIDENCE_CORPUS;
  if (folder) await corpus(program.judge, folder);
  else console.log('skipped: no EVIDENCE_CORPUS');
} finally {
  await rm(out, { recursive: true, force: true });
}
process.exitCode = wrong > 0 ? 1 : 0;
