// A village for the browser: simulated cameras and a daemon in a temporary folder, both gone afterwards whatever happened.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until, within } from './until.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const bin = path.resolve(here, process.env.MATTHON_BIN_DIR ?? '../../target/release');

/** id, name, what camsim makes of it. One records H.265, which Debian's Chromium cannot play. */
export const CAMERAS = [
  ['cong-lang', 'Cổng làng', 'size=1280x720,fps=12,bitrate=1500k'],
  ['cho', 'Chợ Duyên Hy', 'variant=2,size=640x360,fps=10,codec=h265'],
  ['truong-hoc', 'Trường học', 'variant=3,size=640x360,fps=10'],
  ['nha-van-hoa', 'Nhà văn hóa', 'variant=4,size=640x360,fps=10,gop=4s'],
];
/** The demo's cameras: drawn streets with a story. */
export const DEMO = [
  ['cong-lang', 'Cổng làng', 'source=street:story-gate,size=640x360,sub-size=640x360,fps=10,sub-fps=10,bitrate=800k'],
  ['cho', 'Chợ', 'source=street:story-market,size=640x360,sub-size=640x360,fps=10,sub-fps=10,bitrate=800k'],
  ['truong-hoc', 'Trường học', 'source=street:story-school,size=640x360,sub-size=640x360,fps=10,sub-fps=10,bitrate=800k'],
  ['rac', 'Điểm tập kết rác', 'source=street:story-rubbish,size=640x360,sub-size=640x360,fps=10,sub-fps=10,bitrate=800k'],
];
export const USER = { name: 'can-bo', password: 'mat-khau-thon-1' };

function freePort() {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Village {
  /**
   * `demo`: with the demo's cameras and its own configuration. `push`: phones can sign up, also with addresses on loopback.
   * `cameras`: others than the usual ones; what stands fourth goes into the configuration of that one. `wall`: when TVs are off.
   */
  static async start({ demo = false, push = false, cameras = CAMERAS, wall = null } = {}) {
    const village = new Village();
    village.demo = demo;
    village.push = push;
    village.cameras = demo ? DEMO : cameras;
    village.wall = wall;
    process.once('exit', village.killAll);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
    try {
      await village.startCameras();
      await village.startDaemon();
    } catch (error) {
      const log = village.log();
      await village.stop();
      throw new Error(`${error.message}\n${log}`);
    }
    return village;
  }

  /** Where the built programs are. */
  bin = bin;

  constructor() {
    this.dir = mkdtempSync(path.join(tmpdir(), 'matthon-browser-'));
    this.children = [];
    this.logFile = path.join(this.dir, 'daemon.log');
    // The last resort, also when the runner gives up.
    this.killAll = () => {
      for (const child of this.children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      rmSync(this.dir, { recursive: true, force: true });
    };
  }

  async startCameras() {
    const cameras = this.cameras.flatMap(([id, , spec]) => ['--camera', `id=${id},${spec}`]);
    this.camsim = spawn(path.join(bin, 'camsim'), ['serve', '--listen', '127.0.0.1:0', '--exit-on-eof', ...cameras], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.children.push(this.camsim);
    this.camsim.stdin.on('error', () => undefined);
    const lines = readline.createInterface({ input: this.camsim.stdout })[Symbol.asyncIterator]();
    this.answer = async () => JSON.parse((await lines.next()).value);
    const failed = new Promise((_, fail) => this.camsim.once('error', fail));
    const ready = await within('camsim is ready', Promise.race([this.answer(), failed]), 30_000);
    this.ready = ready;
    this.rtsp = ready.rtsp;
  }

  async startDaemon() {
    const port = await freePort();
    this.url = `http://127.0.0.1:${port}`;
    mkdirSync(path.join(this.dir, 'village'));
    this.config = path.join(this.dir, 'village', 'matthon.toml');
    if (this.demo) {
      const template = readFileSync(path.join(here, '../../config/demo.toml'), 'utf8');
      writeFileSync(this.config, template.replaceAll('@RTSP@', this.rtsp).replaceAll('@PORT@', String(port)).replace('2GB', '512MB'));
      writeFileSync(path.join(this.dir, 'village', 'cameras.json'), JSON.stringify(this.ready));
    } else this.writeConfig(port);
    const added = spawnSync(path.join(bin, 'matthon'), ['user', 'add', USER.name, '--role', 'admin', '--password-stdin', '--config', this.config], { input: `${USER.password}\n`, encoding: 'utf8', timeout: 60_000 });
    if (added.status !== 0) throw new Error(`matthon user add: ${added.error ?? added.stderr}`);
    await this.runDaemon();
  }

  async runDaemon() {
    const log = openSync(this.logFile, 'a');
    this.daemon = spawn(path.join(bin, 'matthon'), ['run', '--config', this.config], { stdio: ['ignore', log, log] });
    this.children.push(this.daemon);
    await until('matthon answers', async () => {
      if (this.daemon.exitCode !== null) throw new Error(`matthon ended with ${this.daemon.exitCode}`);
      return fetch(`${this.url}/healthz`).then((r) => r.status === 200 || r.status === 503, () => false);
    }, 30_000);
  }

  writeConfig(port) {
    const cameras = this.cameras.map(([id, name, , more = '']) => `[[camera]]\nid = "${id}"\nname = "${name}"\nmain = "${this.rtsp}/${id}/main"\nsub = "${this.rtsp}/${id}/sub"\nrecord = { main = "main", sub = "main" }\n${more}\n`);
    const push = this.push ? '[push]\ncontact = "mailto:ban-quan-ly@duyenhy.vn"\nallow_loopback = true\n' : '';
    const wall = this.wall === null ? '' : `[wall]\noff = "${this.wall}"\n`;
    writeFileSync(this.config, `[site]\nname = "Thôn Duyên Hy"\n[privacy]\ncontroller = "UBND xã Thử Nghiệm"\nkeep = "15d"\n[storage]\ndata = "data"\n[[ring]]\nname = "main"\npaths = ["ring"]\nsize = "512MB"\nsync = "3s"\n[web]\nlisten = "127.0.0.1:${port}"\nwebrtc = "127.0.0.1:0"\n${push}${wall}${cameras.join('')}`);
  }

  /** Ends the daemon, does `meanwhile`, and starts it again at the same address. */
  async restart(meanwhile) {
    const old = this.daemon;
    const gone = new Promise((done) => old.once('exit', done));
    old.kill('SIGTERM');
    await within('matthon ends after SIGTERM', gone, 15_000);
    await meanwhile();
    await this.runDaemon();
  }

  /** Throws a switch of the cameras: `drop ID`, `up ID` … */
  async say(line) {
    this.camsim.stdin.write(`${line}\n`);
    const answer = await within(`camsim answers ${line}`, this.answer(), 10_000);
    if (!answer.ok) throw new Error(`${line}: ${answer.error}`);
  }

  log() {
    try {
      return readFileSync(this.logFile, 'utf8').split('\n').slice(-40).join('\n');
    } catch {
      return '';
    }
  }

  /** Ends both, gently at first. How the daemon ended, null when it never ran. */
  async stop() {
    const gone = (child) => new Promise((done) => (child.exitCode !== null || child.signalCode !== null ? done() : child.once('exit', done)));
    try {
      this.daemon?.kill('SIGTERM');
      if (this.daemon) await within('matthon ends after SIGTERM', gone(this.daemon), 15_000);
      this.camsim?.stdin.end();
      if (this.camsim?.pid) await within('camsim ends with its input', gone(this.camsim), 15_000);
      return this.daemon?.exitCode ?? null;
    } finally {
      this.killAll();
      process.removeListener('exit', this.killAll);
    }
  }
}
