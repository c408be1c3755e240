// Tests with data of their own: what lengths that lie, archives that end early and odd texts lead to.
import assert from 'node:assert/strict';

const text = (words) => Buffer.from(words);
const u16 = (n) => { const b = Buffer.alloc(2); b.writeUInt16LE(n); return b; };
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };

/** A stored archive. `tell` changes what the directory says of a file. */
function pack(crc32, files, tell = (entry) => entry) {
  const [parts, directory] = [[], []];
  let at = 0;
  for (const [name, bytes] of files) {
    const e = tell({ name, size: bytes.length, packed: bytes.length, method: 0, at });
    const common = [u16(20), u16(0), u16(e.method), u32(0), u32(crc32(bytes)), u32(e.packed), u32(e.size), u16(name.length), u16(0)];
    const local = Buffer.concat([u32(0x04034b50), ...common, text(name)]);
    directory.push(u32(0x02014b50), u16(20), ...common, u16(0), u16(0), u16(0), u32(0), u32(e.at), text(name));
    parts.push(local, bytes);
    at += local.length + bytes.length;
  }
  const list = Buffer.concat(directory);
  return Buffer.concat([
    ...parts, list, u32(0x06054b50), u32(0), u16(files.length), u16(files.length), u32(list.length), u32(at), u16(0),
  ]);
}

/** A record header with a right sum. */
function header(crc32) {
  const front = Buffer.alloc(252);
  front.write('MTRC');
  front.writeUInt16LE(1, 4);
  front.write('cong-lang', 8);
  return Buffer.concat([front, u32(crc32(front))]);
}

/** A signature whose equation holds only up to the curve's small factor: its key has a part of order eight. */
function loose({ ed25519, sha512, ED25519_TORSION_SUBGROUP }, message) {
  const { Point } = ed25519;
  const number = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const [secret, nonce] = [1234567n, 7654321n];
  const key = Point.BASE.multiply(secret).add(Point.fromHex(ED25519_TORSION_SUBGROUP[1])).toBytes();
  const first = Point.BASE.multiply(nonce).toBytes();
  const k = number(sha512(Buffer.concat([first, key, message]))) % Point.Fn.ORDER;
  const s = Buffer.from(((nonce + k * secret) % Point.Fn.ORDER).toString(16).padStart(64, '0'), 'hex').reverse();
  return { key, signature: Buffer.concat([first, s]), exact: k % 8n === 0n };
}

export function own(program) {
  const { judge, Stretch, Window, BadChain, ChainReader, crc32, parse, MediaHasher, micros, fingerprint, sameKey, signer, ed25519 } = program;
  const blob = (bytes) => new Blob([bytes]);
  const whats = async (bytes) => (await judge(blob(bytes))).verdict.findings.map((f) => `${f.what} ${f.file}`.trim());
  const magic = text('MTCHAIN1');
  const reader = (...parts) => {
    const bytes = Buffer.concat([magic, ...parts]);
    return new ChainReader(new Stretch(blob(bytes), 0, bytes.length));
  };
  const set = Buffer.concat([Buffer.from([1]), u32(3), text('abc')]);
  const record = (number, count, ...rest) =>
    Buffer.concat([Buffer.from([2, 0]), header(crc32), Buffer.alloc(32), u16(number), u32(count), ...rest]);
  const line = (size, flags, at) => Buffer.concat([u32(3600), u32(0), u32(size), Buffer.from([flags]), u64(at)]);

  return [
    ['the example of MEDIA_HASH.md', () => {
      const hasher = new MediaHasher(Buffer.from('756c617700001f40000000010000000000000000', 'hex'), 0, 9000);
      for (const bytes of [[1, 2, 3], [4]]) {
        hasher.begin({ duration: 1800, ctsOffset: 0, size: bytes.length, randomAccess: true });
        hasher.bytes(Uint8Array.from(bytes));
      }
      assert.equal(Buffer.from(hasher.finish()).toString('hex'), '4cecc0289239b4a2a73c395e9b76ca1d797e1c26ecfde850727b2f9a99703583');
    }],
    ['decoding times carry over 32 bits', () => {
      const hash = (high, low, durations) => {
        const hasher = new MediaHasher(text(''), high, low);
        for (const duration of durations) hasher.begin({ duration, ctsOffset: -1, size: 0, randomAccess: false });
        return Buffer.from(hasher.finish()).toString('hex');
      };
      assert.notEqual(hash(0, 0xffffffff, [1, 0]), hash(0, 0xffffffff, [0, 1]));
      assert.equal(hash(0xffffffff, 0xffffffff, []), hash(0, 0, []));
    }],
    ['lengths that lie end a chain file', async () => {
      const bad = [
        [Buffer.from([1]), u32(0xffffffff)],
        [Buffer.from([1]), u32(65537), Buffer.alloc(65537)],
        [Buffer.from([1]), u32(100), Buffer.alloc(99)],
        [Buffer.from([3])],
        [record(0, 0)],
        [set, record(1, 0)],
        [set, record(0, 0xffffffff)],
        [set, record(0, 65537, Buffer.alloc(65537 * 21))],
        [set, record(0, 2, line(1, 0, 0))],
        [set, record(0, 1, line((8 << 20) + 1, 0, 0))],
        [set, record(0, 1, line(1, 4, 0))],
        [set, record(0, 1, line(8 << 20, 2, 0), Buffer.alloc(100))],
        [set, record(0, 0).subarray(0, 200)],
      ];
      for (const parts of bad) {
        await assert.rejects(async () => { const r = reader(...parts); while (await r.next()); }, BadChain, Buffer.concat(parts).subarray(0, 40).toString('hex'));
      }
      await assert.rejects(new ChainReader(new Stretch(blob(text('MTCHAIN')), 0, 7)).next(), BadChain);
    }],
    ['a right chain file is read to its end', async () => {
      const r = reader(set, record(0, 2, line(5, 2, 0), line(4, 1, 7), text('hello')), set, record(1, 0));
      const first = await r.next();
      assert.deepEqual([first.count, first.header.stream, text('').toString()], [2, 'cong-lang/main/video', '']);
      assert.equal(Buffer.from(await r.here(first.here, 5)).toString(), 'hello');
      assert.equal((await r.next()).count, 0);
      assert.equal(await r.next(), null);
      assert.equal(await reader().next(), null);
    }],
    ['pieces that were read are given back', async () => {
      const window = new Window(new Stretch(blob(text('abcdefgh')), 0, 8), 2, 2);
      const [first, second] = [await window.get(0, 2), await window.get(2, 2)];
      assert.equal(text(first).toString(), 'ab', 'held');
      const third = await window.get(4, 2);
      assert.deepEqual([first.buffer.byteLength, text(second).toString(), text(third).toString()], [0, 'cd', 'ef']);
      // What was given back is read again.
      assert.equal(text(await window.get(0, 2)).toString(), 'ab');
      const given = [];
      const lent = { size: 8, slice: (from, to) => ({ arrayBuffer: async () => { given.push(new ArrayBuffer(to - from)); return given[given.length - 1]; } }) };
      await new Stretch(lent, 0, 8).sha256({ add: async (bytes) => assert.equal(bytes, 8) });
      assert.deepEqual(given.map((buffer) => buffer.byteLength), [0]);
    }],
    ['an archive that ends early is none', async () => {
      const whole = pack(crc32, [['a.txt', text('a')]]);
      assert.deepEqual(await whats(whole), ['file-missing manifest.json', 'file-missing manifest.sig', 'not-a-package']);
      for (const cut of [0, 1, 21, 40, whole.length - 1]) assert.deepEqual(await whats(whole.subarray(0, cut)), ['not-a-package'], `${cut}`);
      assert.deepEqual(await whats(Buffer.alloc(4096)), ['not-a-package']);
    }],
    ['a directory larger than the file is none', async () => {
      const whole = pack(crc32, [['a.txt', text('a')]]);
      whole.writeUInt32LE(0xfffffffe, whole.length - 10);
      assert.deepEqual(await whats(whole), ['not-a-package']);
    }],
    ['what cannot be a file of a package is told', async () => {
      const rest = ['file-missing manifest.json', 'file-missing manifest.sig', 'not-a-package'];
      const names = ['../a', '/a', 'a b', '.a', 'a//b', 'a/'];
      for (const name of names) assert.deepEqual(await whats(pack(crc32, [[name, text('a')]])), [`file-extra ${name}`, ...rest]);
      assert.deepEqual(await whats(pack(crc32, [['a', text('a')], ['a', text('b')]])), ['file-extra a', ...rest], 'twice');
      const deflated = pack(crc32, [['a', text('a')]], (e) => ({ ...e, method: 8 }));
      assert.deepEqual(await whats(deflated), ['file-extra a', ...rest]);
      const shorter = pack(crc32, [['a', text('abc')]], (e) => ({ ...e, packed: 2 }));
      assert.deepEqual(await whats(shorter), ['file-extra a', ...rest]);
      const elsewhere = pack(crc32, [['a', text('abc')], ['b', text('abc')]], (e) => ({ ...e, at: e.at && e.at + 1 }));
      assert.deepEqual(await whats(elsewhere), ['unreadable', ...rest]);
    }],
    ['a text file longer than the archive is none', async () => {
      const files = [['manifest.json', text('{}')], ['manifest.sig', text('x')]];
      const longer = pack(crc32, files, (e) => ({ ...e, size: 4000, packed: 4000 }));
      // The first one claims what is the second one's place, too.
      assert.deepEqual(await whats(longer), ['file-extra manifest.sig', 'file-missing manifest.sig', 'not-a-package']);
      assert.deepEqual(await whats(pack(crc32, files)), ['manifest manifest.json']);
    }],
    ['fingerprints are compared by their digits', () => {
      const key = Buffer.from('ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c', 'hex');
      const known = 'fe81 2c12 f3ab 4ce6 ac5d b69a c352 f906 cb1b 11ef';
      assert.equal(fingerprint(key), known);
      for (const typed of [known, known.toUpperCase(), known.replace(/ /g, ':'), known.replace(/ /g, ''), ` ${known.replace(/ /g, '-')}\n`, key.toString('hex'), key.toString('hex').toUpperCase()]) {
        assert.ok(sameKey(typed, key), typed);
      }
      for (const typed of ['', known.slice(0, -1), `${known}0`, known.replace('fe81', 'fe82'), key.toString('hex').slice(1)]) {
        assert.ok(!sameKey(typed, key), typed);
      }
    }],
    ['only an exact signature is one', () => {
      const mark = (key, signature, end = '\n') =>
        text(`matthon-signature-1\nkey ${Buffer.from(key).toString('hex')}\nsignature ${Buffer.from(signature).toString('hex')}${end}`);
      const message = (manifest) => Buffer.concat([text('matthon export manifest 1\0'), manifest]);
      const [secret, manifest] = [Buffer.alloc(32, 7), text('{}')];
      const [key, signature] = [ed25519.getPublicKey(secret), ed25519.sign(message(manifest), secret)];
      for (const end of ['\n', '', '\r\n']) assert.ok(signer(mark(key, signature, end), manifest), JSON.stringify(end));
      for (const end of ['\n\n', ' \n', '\r', '\nx']) assert.equal(signer(mark(key, signature, end), manifest), null, JSON.stringify(end));
      assert.equal(signer(mark(key, signature), text('{ }')), null);
      assert.equal(signer(mark(Buffer.alloc(32), Buffer.alloc(64)), manifest), null, 'a key that fits many messages');
      let told = 0;
      for (let n = 0; n < 8; n++) {
        const other = text(`{"n":${n}}`);
        const made = loose(program, message(other));
        assert.ok(ed25519.verify(made.signature, message(other), made.key, { zip215: false }), 'the library takes it');
        assert.equal(signer(mark(made.key, made.signature), other) !== null, made.exact);
        told += made.exact ? 0 : 1;
      }
      assert.ok(told > 0);
    }],
    ['JSON is read as the box reads it', () => {
      assert.equal(parse('18446744073709551615'), 18446744073709551615n);
      assert.equal(typeof parse('18446744073709551616'), 'number');
      assert.equal(typeof parse('1.0'), 'number');
      assert.deepEqual(parse(' [1, "\\ud83d\\ude00\\n", null] '), [1n, '😀\n', null]);
      assert.deepEqual([...parse('{"a":1,"a":2}').twice], ['a']);
      for (const bad of ['', '[1,]', '{"a":1,}', '01', '+1', '.5', '1.', 'nul', '"\\ud83d"', '"\n"', '1 2', '1e999', '\ufeff1', '['.repeat(5000)]) {
        assert.throws(() => parse(bad), bad.slice(0, 20));
      }
    }],
    ['instants', () => {
      const at = 1795430403250000n;
      for (const same of ['2026-11-23T10:40:03.25Z', '2026-11-23T17:40:03.250000+07:00', '1795430403.25', '2026-11-23 10:40:03.250000999z']) {
        assert.equal(micros(same), at, same);
      }
      for (const bad of ['', '2026-11-23T10:40:03', '2026-02-30T00:00:00Z', '2026-11-23T24:00:00Z', 'NaN', 'x']) assert.equal(micros(bad), null, bad);
    }],
  ];
}
