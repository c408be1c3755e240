// The page that judges packages, from file:// in a real browser, over the same packages as `matthon verify` (EVIDENCE_CORPUS).
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { launch, root, skipping } from './chrome.mjs';

const html = path.join(root, 'crates/evidence/page/dist/verify.html');
const corpus = process.env.EVIDENCE_CORPUS;
const skip = skipping('browser-verify', !corpus || !existsSync(corpus) ? 'no EVIDENCE_CORPUS' : false);

let browser;
let page;

before(async () => {
  if (skip) return;
  browser = await launch();
  page = await browser.newPage();
  await page.route(/^https?:/, (route) => route.abort());
  await page.goto(pathToFileURL(html).href);
});

after(async () => {
  await browser?.close();
});

test('every package of the corpus gets the verdict of matthon verify', { skip }, async () => {
  const names = readdirSync(corpus).filter((name) => name.endsWith('.zip')).sort();
  assert.ok(names.length >= 20, `${names.length} packages`);
  for (const name of names) {
    const want = JSON.parse(readFileSync(path.join(corpus, name.replace('.zip', '.json')), 'utf8'));
    const bytes = readFileSync(path.join(corpus, name)).toString('base64');
    const got = await page.evaluate(async (text) => {
      const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      return JSON.parse(JSON.stringify(await window.matthonVerify(new Blob([raw]))));
    }, bytes);
    for (const key of ['findings', 'found', 'fingerprint', 'files', 'records', 'bytes']) assert.deepEqual(got[key], want[key], `${name}: ${key}`);
  }
});
