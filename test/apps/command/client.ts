/** Command lines run by the process of `server.ts`, which is started for a test file and ends with it. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Request {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds until the process has to be there. */
const PATIENCE = 60_000;

const sleep = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

class Server {
  readonly #requests: number;
  readonly #results: number;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'zkl-server-'));
    try {
      const [requests, results] = ['requests', 'results'].map((name) => join(directory, name));
      if (spawnSync('mkfifo', [requests, results]).status !== 0) throw new Error('cannot make named pipes');
      this.#results = openSync(results, constants.O_RDONLY | constants.O_NONBLOCK);
      const script = fileURLToPath(new URL('server.ts', import.meta.url));
      const env = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' };
      spawn(process.execPath, [script, requests, results], { stdio: ['ignore', 'inherit', 'inherit'], env }).unref();
      if (this.#line(performance.now() + PATIENCE) !== '"ready"')
        throw new Error('the process of server.ts is not ready');
      this.#requests = openSync(requests, 'w');
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  run(request: Request): Result {
    const bytes = Buffer.from(`${JSON.stringify(request)}\n`);
    for (let at = 0; at < bytes.length;) at += writeSync(this.#requests, bytes, at);
    return JSON.parse(this.#line(0)) as Result;
  }

  close(): void {
    closeSync(this.#requests);
    closeSync(this.#results);
  }

  /** The next line; until `deadline` nobody need have opened the pipe. */
  #line(deadline: number): string {
    const parts: Buffer[] = [];
    const buffer = Buffer.alloc(2 ** 16);
    for (;;) {
      const length = this.#read(buffer);
      if (length === 0 && parts.length === 0 && performance.now() > deadline)
        throw new Error('the process of server.ts is gone: see its stderr');
      if (length === undefined || length === 0) {
        sleep(1);
        continue;
      }
      parts.push(Buffer.from(buffer.subarray(0, length)));
      // One answer at a time: its end is the end of what there is.
      if (buffer[length - 1] === 0x0a) return Buffer.concat(parts).toString().trimEnd();
    }
  }

  /** Undefined where there is nothing yet, 0 where nobody has opened the pipe. */
  #read(buffer: Buffer): number | undefined {
    try {
      return readSync(this.#results, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw error;
    }
  }
}

let server: Server | undefined;

/** @throws Error where the process ends before it answers */
export function serve(request: Request): Result {
  server ??= new Server();
  try {
    return server.run(request);
  } catch (error) {
    server.close();
    server = undefined;
    throw error;
  }
}
