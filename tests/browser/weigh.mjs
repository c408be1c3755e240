// What the page that judges packages costs over a large one: node weigh.mjs PACKAGE MATTHON AT. The page from file://, the package
// through its file picker; memory of its process; the verdict beside `matthon verify`, also with the byte at AT changed.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { launch, root } from './chrome.mjs';

const html = path.join(root, 'crates/evidence/page/dist/verify.html');
const [file, matthon, at] = process.argv.slice(2);
/** Longer than any machine takes for some gigabytes. */
const LIMIT = 1_800_000;
const EACH = 200;
const MB = 1e6;

/** What `matthon verify` says, good or not. */
async function command() {
  const begun = performance.now();
  const { stdout } = await promisify(execFile)(matthon, ['verify', file, '--json'], { maxBuffer: 64 << 20 }).catch((error) => error);
  return { ...JSON.parse(stdout), seconds: (performance.now() - begun) / 1000 };
}

/** Bytes of a process as the kernel counts them: its share of memory, and the most that was ever resident. */
async function memory(pid) {
  const bytes = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN) * 1024;
  const [rollup, status] = await Promise.all(['smaps_rollup', 'status'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')));
  return { pss: bytes(rollup, 'Pss'), mark: bytes(status, 'VmHWM') };
}

/** Looks at processes again and again; what it gives ends that and tells the most each had. */
function watch(pids) {
  const most = new Map(pids.map((pid) => [pid, { pss: 0, mark: 0 }]));
  let [over, samples] = [false, 0];
  const looking = (async () => {
    while (!over) {
      for (const [pid, had] of most) {
        const now = await memory(pid);
        for (const key of Object.keys(now)) had[key] = Math.max(had[key], now[key]);
      }
      samples += 1;
      await new Promise((done) => setTimeout(done, EACH));
    }
  })();
  return async () => {
    over = true;
    await looking;
    return { most, samples };
  };
}

/** The page's words for an instant, without the date's words between. */
function clock(micros) {
  const local = new Date(Math.floor(micros / 1000) + 7 * 3_600_000).toISOString();
  const [year, month, day] = local.slice(0, 10).split('-');
  return `${local.slice(11, 19)} ngày ${day}/${month}/${year}`;
}

async function processes(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo;
}

/** A browser of its own for each package: what an earlier one left in its process is not counted. */
async function page(want) {
  const browser = await launch();
  try {
    const context = await browser.newContext({ offline: true });
    const tab = await context.newPage();
    const asked = [];
    tab.on('request', (request) => asked.push(request.url()));
    // A browser without WebCrypto.
    await tab.addInitScript(() => {
      Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined });
    });
    await tab.goto(pathToFileURL(html).href);
    await new Promise((done) => setTimeout(done, 2000));
    // The browser has renderers for itself and in stock, too: which is the page's is known when it has worked.
    const before = (await processes(browser)).filter((p) => p.type === 'renderer' || p.type === 'browser');
    const first = new Map(await Promise.all(before.map(async ({ id }) => [id, await memory(id)])));
    const watched = watch([...first.keys()]);
    const [chooser] = await Promise.all([tab.waitForEvent('filechooser'), tab.click('button.main')]);
    const begun = performance.now();
    await chooser.setFiles(file);
    await tab.locator('#verdict, .warn').first().waitFor({ timeout: LIMIT });
    const seconds = (performance.now() - begun) / 1000;
    const { most, samples } = await watched();
    const spent = new Map((await processes(browser)).map(({ id, cpuTime }) => [id, cpuTime]));
    const worked = before.map(({ type, id, cpuTime }) => ({
      type, cpu: (spent.get(id) ?? 0) - cpuTime, first: first.get(id).pss, most: most.get(id).pss, mark: most.get(id).mark,
    }));
    const [own] = worked.filter((p) => p.type === 'renderer').sort((x, y) => y.cpu - x.cpu);
    const around = worked.find((p) => p.type === 'browser');
    const verdict = await tab.locator('#verdict').getAttribute('class');
    const text = await tab.locator('#page').innerText();
    assert.equal(verdict.includes('good'), want.good, text);
    const number = (n) => n.toLocaleString('vi-VN');
    const { files, records, bytes, findings, found, fingerprint } = want.verdict;
    for (const part of [fingerprint ?? '', `${number(files)} tệp và ${number(records)} đoạn ghi đúng; ${number(bytes)} byte`]) {
      assert.ok(text.includes(part), `${part} is not in ${text}`);
    }
    const told = (await tab.locator('section.card:has(h2) > ul > li').allInnerTexts());
    assert.equal(told.length, found);
    findings.forEach((f, n) => {
      for (const part of [f.file, f.camera && `(${f.camera})`, f.from && `từ ${clock(f.from)}`, f.to && `đến ${clock(f.to)}`]) {
        if (part) assert.ok(told[n].includes(part), `${part} is not in ${told[n]}`);
      }
    });
    assert.deepEqual(asked.filter((url) => !url.startsWith('file:')), [], 'the network was asked for');
    return { own, around, samples, seconds, told, version: browser.version() };
  } finally {
    await browser.close();
  }
}

async function row(name, size) {
  const want = await command();
  const { own, around, samples, seconds, told, version } = await page(want);
  const mb = (bytes) => (bytes / MB).toFixed(0);
  for (const line of told) console.log(`  ${line}`);
  console.log(`  Chromium ${version}, ${samples} samples; matthon verify: ${want.good ? 'good' : 'not good'} in ${want.seconds.toFixed(1)} s`);
  console.log(`  browser's own process: PSS ${mb(around.first)} MB before, ${mb(around.most)} MB at most`);
  console.log('| package | size | verdict after | CPU | MB/s of CPU | PSS before | at most | grown by | resident at most |');
  console.log(`| ${name} | ${mb(size)} MB | ${seconds.toFixed(0)} s | ${own.cpu.toFixed(0)} s | ${mb(size / own.cpu)} | ${mb(own.first)} MB `
    + `| ${mb(own.most)} MB | ${mb(own.most - own.first)} MB | ${mb(own.mark)} MB |`);
}

async function change() {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, Number(at));
    byte[0] ^= 1;
    await handle.write(byte, 0, 1, Number(at));
  } finally {
    await handle.close();
  }
}

const { size } = await stat(file);
await row('as signed', size);
await change();
await row(`byte ${at} changed`, size);
