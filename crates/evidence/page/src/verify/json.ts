// JSON as the box's own program reads it: whole numbers keep every digit, a key given twice is known as such, half a surrogate
// pair is no text. The browser's reader does none of these. Which keys there must be does not belong here.

export type Json = null | boolean | number | bigint | string | Json[] | Thing;

/** An object, and which of its keys were given more than once. */
export interface Thing {
  keys: Map<string, Json>;
  twice: Set<string>;
}

export class BadJson extends Error {}

const DEPTH_MAX = 127;
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// Up to the next quote, backslash or control character.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: { [letter: string]: string } = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const U64_MAX = BigInt('18446744073709551615');
const I64_MIN = BigInt('-9223372036854775808');

/** Reads a whole text. Throws when it is no JSON. */
export function parse(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  /** The next character that is no space, not yet taken. */
  private peek(): string {
    this.match(SPACE);
    return this.text.charAt(this.at);
  }

  private take(letter: string): void {
    if (this.peek() !== letter) throw new BadJson(`no ${letter} at ${this.at}`);
    this.at += 1;
  }

  end(): void {
    if (this.peek() !== '') throw new BadJson(`more text at ${this.at}`);
  }

  value(depth: number): Json {
    if (depth > DEPTH_MAX) throw new BadJson('too deep');
    switch (this.peek()) {
      case '{': return this.object(depth);
      case '[': return this.list(depth);
      case '"': return this.string();
      case 't': return this.word('true', true);
      case 'f': return this.word('false', false);
      case 'n': return this.word('null', null);
      default: return this.number();
    }
  }

  private word<T>(word: string, value: T): T {
    if (this.text.substr(this.at, word.length) !== word) throw new BadJson(`no value at ${this.at}`);
    this.at += word.length;
    return value;
  }

  private number(): number | bigint {
    const found = this.match(NUMBER);
    if (!found) throw new BadJson(`no value at ${this.at}`);
    if (found[1] === undefined && found[2] === undefined && found[0] !== '-0') {
      // Longer ones cannot fit, and reading them digit by digit takes long.
      const whole = found[0].length <= 20 ? BigInt(found[0]) : null;
      if (whole !== null && whole <= U64_MAX && whole >= I64_MIN) return whole;
    }
    const value = Number(found[0]);
    if (!Number.isFinite(value)) throw new BadJson('a number out of range');
    return value;
  }

  private string(): string {
    this.take('"');
    let out = '';
    for (;;) {
      const plain = this.match(PLAIN);
      if (plain) out += plain[0];
      const letter = this.text.charAt(this.at++);
      if (letter === '"') return out;
      if (letter !== '\\') throw new BadJson(`a text without an end at ${this.at}`);
      const escape = this.text.charAt(this.at++);
      if (escape === 'u') out += this.escaped();
      else if (Object.prototype.hasOwnProperty.call(ESCAPES, escape)) out += ESCAPES[escape];
      else throw new BadJson(`no such escape at ${this.at}`);
    }
  }

  private unit(): number {
    const digits = this.text.substr(this.at, 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new BadJson(`no such escape at ${this.at}`);
    this.at += 4;
    return parseInt(digits, 16);
  }

  private escaped(): string {
    const first = this.unit();
    if (first >= 0xdc00 && first < 0xe000) throw new BadJson('half a letter');
    if (first < 0xd800 || first >= 0xe000) return String.fromCharCode(first);
    if (this.text.substr(this.at, 2) !== '\\u') throw new BadJson('half a letter');
    this.at += 2;
    const second = this.unit();
    if (second < 0xdc00 || second >= 0xe000) throw new BadJson('half a letter');
    return String.fromCharCode(first, second);
  }

  private list(depth: number): Json[] {
    this.take('[');
    const out: Json[] = [];
    if (this.peek() === ']') {
      this.at += 1;
      return out;
    }
    for (;;) {
      out.push(this.value(depth + 1));
      if (this.peek() === ']') break;
      this.take(',');
    }
    this.at += 1;
    return out;
  }

  private object(depth: number): Thing {
    this.take('{');
    const out: Thing = { keys: new Map(), twice: new Set() };
    if (this.peek() === '}') {
      this.at += 1;
      return out;
    }
    for (;;) {
      if (this.peek() !== '"') throw new BadJson(`no key at ${this.at}`);
      const key = this.string();
      this.take(':');
      if (out.keys.has(key)) out.twice.add(key);
      out.keys.set(key, this.value(depth + 1));
      if (this.peek() === '}') break;
      this.take(',');
    }
    this.at += 1;
    return out;
  }
}
