// What is found, in the words of `matthon verify`: same names, same order, same JSON. How it is told to people does not belong here.

/** Findings kept; further ones are counted. */
const KEPT = 1000;

export type What =
  | 'not-a-package' | 'file-missing' | 'file-extra' | 'file-changed' | 'manifest' | 'signature' | 'other-key' | 'sums'
  | 'records' | 'media' | 'chain' | 'record-missing' | 'foreign' | 'track' | 'unreadable';

export interface Finding {
  what: What;
  file: string;
  camera: string | null;
  /** Microseconds since the epoch. */
  from: number | null;
  to: number | null;
}

export interface Verdict {
  findings: Finding[];
  found: number;
  fingerprint: string | null;
  key_matches: boolean | null;
  files: number;
  records: number;
  bytes: number;
}

/** A verdict being made. */
export class Findings {
  readonly verdict: Verdict = {
    findings: [], found: 0, fingerprint: null, key_matches: null, files: 0, records: 0, bytes: 0,
  };

  add(what: What, file: string, camera: string | null = null, from: bigint | null = null, to: bigint | null = null): void {
    this.verdict.found += 1;
    if (this.verdict.findings.length >= KEPT) return;
    const number = (at: bigint | null) => (at === null ? null : Number(at));
    this.verdict.findings.push({ what, file, camera, from: number(from), to: number(to) });
  }
}
