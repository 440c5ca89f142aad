/** Runs the command line as a process of its own, in a directory made for the test. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { makeAdapter, type AdapterShape } from '../support/adapter.ts';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
export const mainFile = join(projectRoot, 'cli', 'main.ts');

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Threads cost more than they bring for programs this small. */
export const small = ['--threads', '1'] as const;

export class Workplace {
  readonly path: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  readonly #command: readonly [string, ...string[]];

  constructor(path: string, command: readonly [string, ...string[]] = [process.execPath, mainFile]) {
    this.path = path;
    this.#command = command;
    mkdirSync(join(path, 'home'), { recursive: true });
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    this.#env = { PATH, NODE_COMPILE_CACHE, HOME: join(path, 'home'), NO_COLOR: '1' };
  }

  zkl(args: readonly string[], env: Readonly<Record<string, string>> = {}): Result {
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
