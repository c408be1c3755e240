// A push service and one browser's keys: takes what the box sends, checks who vouches for it and opens it, by RFC 8291, 8188 and 8292.
import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, createHmac, createPublicKey, randomBytes, verify } from 'node:crypto';
import { createServer } from 'node:http';

const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest();
const url = (bytes) => bytes.toString('base64url');

export class PushService {
  static async start() {
    const service = new PushService();
    await new Promise((done) => service.server.listen(0, '127.0.0.1', done));
    service.origin = `http://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  constructor() {
    this.keys = createECDH('prime256v1');
    this.keys.generateKeys();
    this.auth = randomBytes(16);
    /** Messages as the browser gets them, in order. */
    this.got = [];
    /** What went wrong with one, if anything. */
    this.wrong = [];
    this.server = createServer((request, response) => {
      const pieces = [];
      request.on('data', (piece) => pieces.push(piece));
      request.on('end', () => {
        try {
          this.vouched(request.headers.authorization);
          this.got.push(JSON.parse(this.open(Buffer.concat(pieces)).toString('utf8')));
        } catch (error) {
          this.wrong.push(error);
        }
        response.writeHead(201).end();
      });
    });
  }

  /** What a browser's subscription is as JSON. */
  subscription(name) {
    return { endpoint: `${this.origin}/${name}`, expirationTime: null, keys: { p256dh: url(this.keys.getPublicKey()), auth: url(this.auth) } };
  }

  vouched(authorization) {
    const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(authorization);
    assert.equal(key, this.vapid, 'the key the page was given');
    const point = Buffer.from(key, 'base64url');
    const jwk = { kty: 'EC', crv: 'P-256', x: url(point.subarray(1, 33)), y: url(point.subarray(33)) };
    const [head, claims, signature] = token.split('.');
    const good = verify('sha256', Buffer.from(`${head}.${claims}`), { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    assert.ok(good, 'the token is signed by the key');
    const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    assert.equal(aud, this.origin);
    assert.ok(exp > Date.now() / 1000 && exp <= Date.now() / 1000 + 86_400, `${exp}`);
    assert.match(sub, /^mailto:.+@.+\..+$/);
  }

  open(body) {
    const salt = body.subarray(0, 16);
    const length = body[20];
    const theirs = body.subarray(21, 21 + length);
    const sealed = body.subarray(21 + length);
    const secret = this.keys.computeSecret(theirs);
    const ikm = hmac(hmac(this.auth, secret), Buffer.from('WebPush: info\0'), this.keys.getPublicKey(), theirs, Buffer.from([1]));
    const prk = hmac(salt, ikm);
    const key = hmac(prk, Buffer.from('Content-Encoding: aes128gcm\0\x01')).subarray(0, 16);
    const nonce = hmac(prk, Buffer.from('Content-Encoding: nonce\0\x01')).subarray(0, 12);
    const cipher = createDecipheriv('aes-128-gcm', key, nonce);
    cipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    const end = padded.lastIndexOf(2);
    return padded.subarray(0, end);
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}
