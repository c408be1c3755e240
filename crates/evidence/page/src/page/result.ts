// A judgement in sentences: the headline, each finding, and what the package says of itself. Pure; drawing does not belong here.

import { micros } from '../verify/moment';
import type { Finding, Manifest, Verdict } from '../verify/judge';
import { reasonKey, whatKey, type Lang, type Words } from './texts';

/** Local time of every village: seven hours ahead of UTC. */
const OFFSET_MS = 7 * 3_600_000;

/** `17:42:05 ngày 26/11/2026 (10:42:05 UTC)`. */
export function instant(at: number, lang: Lang): string {
  const clock = (date: Date) => date.toISOString().slice(11, 19);
  const ms = Math.floor(at / 1000);
  // Years with more or fewer digits than four are garbage.
  if (!(ms > 0 && ms < 253_370_000_000_000)) return '—';
  const local = new Date(ms + OFFSET_MS);
  const [year, month, day] = local.toISOString().slice(0, 10).split('-');
  const date = `${day}/${month}/${year}`;
  const utc = new Date(ms);
  const other = utc.getUTCDate() === local.getUTCDate() ? '' : ` ${utc.toISOString().slice(0, 10)}`;
  return `${clock(local)} ${lang === 'vi' ? 'ngày ' : ''}${date} (${clock(utc)}${other} UTC)`;
}

function moment(text: { utc: string; local: string }, lang: Lang): string {
  const at = micros(text.utc);
  return at === null ? text.local : instant(Number(at), lang);
}

function cameraName(manifest: Manifest | null, id: string): string {
  const camera = manifest && manifest.cameras.find((c) => c.id === id);
  return camera && camera.name ? `${camera.name} (${id})` : id;
}

/** A finding as one sentence. */
export function sentence(f: Finding, manifest: Manifest | null, lang: Lang, t: Words): string {
  const parts = [t(whatKey(f.what), { file: f.file || t('unnamed') })];
  if (f.camera !== null) parts.push(t('finding.camera', { camera: cameraName(manifest, f.camera) }));
  if (f.from !== null && f.to !== null) parts.push(t('finding.times', { from: instant(f.from, lang), to: instant(f.to, lang) }));
  return `${parts.join(', ')}.`;
}

/** Whether every byte is what the box signed and recorded. */
export function isGood(verdict: Verdict, manifest: Manifest | null): boolean {
  return verdict.found === 0 && manifest !== null;
}

/** The verdict in one sentence: the narrowest time that is known to be wrong says most. */
export function headline(verdict: Verdict, manifest: Manifest | null, lang: Lang, t: Words): string {
  if (manifest && verdict.found === 0) return t('good', { site: manifest.box.site || t('unnamed') });
  const found = verdict.findings;
  const has = (what: string) => found.some((f) => f.what === what);
  if (has('not-a-package')) return t('bad.none');
  if (has('other-key')) return t('bad.key');
  const timed = found.filter((f) => f.from !== null && f.to !== null);
  const exact = timed.find((f) => f.what === 'media' || f.what === 'chain' || f.what === 'record-missing') || timed[0];
  if (exact && exact.from !== null && exact.to !== null) {
    return t('bad.times', { file: exact.file, from: instant(exact.from, lang), to: instant(exact.to, lang) });
  }
  if (has('signature') || has('manifest')) return t('bad.signature');
  return t('bad.file', { file: (found[0] && found[0].file) || t('unnamed') });
}

export interface Line {
  name: string;
  values: string[];
}

/** What the package says of itself, and what was checked. */
export function about(verdict: Verdict, manifest: Manifest, lang: Lang, t: Words): Line[] {
  const { export: e, box } = manifest;
  const or = (text: string) => [text || t('none')];
  const number = (n: number) => n.toLocaleString(lang === 'vi' ? 'vi-VN' : 'en-GB');
  const cameras = manifest.cameras.map((c) => {
    const more = [c.place, c.direction, c.make, c.serial].filter((text) => text !== '').join(', ');
    return more ? `${cameraName(manifest, c.id)}: ${more}` : cameraName(manifest, c.id);
  });
  const gaps = manifest.gaps.map((g) =>
    t('gap', { stream: g.stream, from: moment(g.from, lang), to: moment(g.to, lang), reason: t(reasonKey(g.reason)) }));
  const compared = verdict.key_matches === null ? 'key.unknown' : verdict.key_matches ? 'key.right' : 'key.wrong';
  const key = verdict.fingerprint === null ? t('fingerprint.none') : `${verdict.fingerprint} (${t(compared)})`;
  const lines: Line[] = [
    { name: t('fingerprint'), values: [key] },
    { name: t('site'), values: or(box.site) },
    { name: t('controller'), values: or(box.controller) },
    { name: t('purpose'), values: or(e.purpose) },
    { name: t('authority'), values: or(e.authority) },
    { name: t('officer'), values: or(e.officer) },
    { name: t('document'), values: or(e.document) },
    { name: t('exporter'), values: or(e.role ? `${e.exporter} (${e.role})` : e.exporter) },
    { name: t('made'), values: e.made_at ? [moment(e.made_at, lang)] : [t('none')] },
    { name: t('range'), values: [t('range.value', { from: moment(manifest.from, lang), to: moment(manifest.to, lang) })] },
    { name: t('cameras'), values: cameras.length > 0 ? cameras : [t('none')] },
    { name: t('gaps'), values: gaps.length > 0 ? gaps : [t('gaps.none')] },
    { name: t('clock'), values: or(manifest.clock.sentence) },
    {
      name: t('checked'),
      values: [t('checked.value', { files: number(verdict.files), records: number(verdict.records), bytes: number(verdict.bytes) })],
    },
  ];
  if (manifest.notes.length > 0) lines.push({ name: t('notes'), values: manifest.notes });
  return lines;
}
