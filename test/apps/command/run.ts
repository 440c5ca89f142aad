/** Runs the command line in a directory made for the test: in a process of its own, or in one that is kept for many (`server.ts`). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { makeAdapter, type AdapterShape } from '../../support/adapter.ts';
import { serve, type Result } from './client.ts';

export const projectRoot = fileURLToPath(new URL('../../..', import.meta.url));
export const mainFile = join(projectRoot, 'cli', 'bin.cjs');

export type { Result };

/** Threads cost more than they bring for programs this small. */
export const small = ['--threads', '1'] as const;

const checkout: readonly [string, ...string[]] = [process.execPath, mainFile];

/** Commands that end, and leave nothing behind but files. */
const SERVED = new Set([
  'import',
  'check',
  'explain',
  'fmt',
  'compile',
  'inspect',
  'tokens',
  'calibrate',
  'compare',
  'commit',
  'prove',
  'verify',
  'train',
  'export',
]);
const isServed = ([command, ...args]: readonly string[]): boolean =>
  SERVED.has(command) && !args.some((arg) => arg === '-' || arg.startsWith('/dev/') || arg === '--device');

const defined = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

export class Workplace {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  readonly #command: readonly [string, ...string[]];

  constructor(path: string, command: readonly [string, ...string[]] = checkout) {
    this.path = path;
    this.#command = command;
    mkdirSync(join(path, 'home'), { recursive: true });
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    this.#env = { PATH, NODE_COMPILE_CACHE, HOME: join(path, 'home'), NO_COLOR: '1' };
  }

  /** In a process that is kept, where the command has nothing to do with processes; what a test says of streams or of the environment has. */
  zkl(args: readonly string[], env?: Readonly<Record<string, string>>): Result {
    if (this.#command !== checkout || env !== undefined || !isServed(args)) return this.process(args, env);
    return serve({ args, cwd: this.path, env: defined(this.#env) });
  }

  /** In a process of its own. */
  process(args: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
    const [program, ...first] = this.#command;
    return this.run(program, [...first, ...args], env);
  }

  run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: this.path,
      env: { ...this.#env, ...env },
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    return { status, stdout, stderr };
  }

  /** Runs a command that has to succeed. */
  ok(...args: readonly string[]): Result {
    const result = this.zkl(args);
    if (result.status !== 0)
      throw new Error(`zkl ${args.join(' ')} ended with ${result.status}: ${result.stderr}${result.stdout}`);
    return result;
  }

  file = (name: string): string => join(this.path, name);

  read = (name: string): Buffer => readFileSync(this.file(name));

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.file(name), content);
    return name;
  }

  /** A PEFT adapter as a directory. */
  adapter(name: string, shape: AdapterShape): string {
    mkdirSync(this.file(name), { recursive: true });
    const { config, tensors } = makeAdapter(shape);
    writeFileSync(join(this.path, name, 'adapter_config.json'), config);
    writeFileSync(join(this.path, name, 'adapter_model.safetensors'), tensors);
    return name;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const makeWorkplace = (): Workplace => new Workplace(mkdtempSync(join(tmpdir(), 'zkl-cli-')));

/** One that goes when the test ends. */
export function testWorkplace(): Workplace {
  const place = makeWorkplace();
  onTestFinished(() => place.remove());
  return place;
}

export const tinyShape: AdapterShape = {
  modules: [
    { path: 'layers.0.q_proj', inputs: 6, outputs: 5 },
    { path: 'layers.1.q_proj', inputs: 6, outputs: 5 },
  ],
  rank: 3,
  alpha: 6,
};

/** Phases that take longer than a second say so on stderr, which on a busy machine many do. */
export const withoutProgress = (stderr: string): string =>
  stderr.replaceAll(/^zkl \w+: .*(?: \.\.\.|: [\d.]+ (?:s|min)|, about .* left)\n/gm, '');

/** Types so narrow that commitments take little time. */
export const narrow = (program: string): string => program.replaceAll(/(secret .*)fixed<16, \d+>/g, '$1fixed<8, 7>');

/** Import, edit, compile, commit, prove: `adapter/`, `p.zkl`, `p.zkb`, `keys/` and `p.zkp`. */
export function makeProof(place: Workplace): void {
  place.adapter('adapter', tinyShape);
  place.ok('import', 'adapter', '--rows', '2', '-o', 'p.zkl');
  place.write('p.zkl', narrow(place.read('p.zkl').toString()));
  place.ok('compile', 'p.zkl', '-o', 'p.zkb');
  place.ok('commit', 'p.zkb', '--weights', 'adapter', '-o', 'keys', ...small);
  place.ok(
    'prove',
    'p.zkb',
    '--weights',
    'adapter',
    '--opening',
    'keys/opening.zko',
    '--inputs',
    'random:1',
    '-o',
    'p.zkp',
    ...small,
  );
}
