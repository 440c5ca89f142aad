/** What the stories of this folder share: a temporary folder, commands that are printed and run in it, and characters as tokens. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const [main, model, adapter] = [here('../../cli/bin.cjs'), here('model'), here('adapter')];
const folder = mkdtempSync(join(tmpdir(), 'zkl-demo-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

const vocabulary = JSON.parse(readFileSync(join(model, 'vocab.json'), 'utf8')) as Readonly<Record<string, number>>;
const characters = Object.keys(vocabulary).sort((a, b) => vocabulary[a] - vocabulary[b]);
export const encode = (text: string): number[] => Array.from(text, (c) => vocabulary[c]);
export const decode = (tokens: readonly number[]): string => tokens.map((t) => characters[t]).join('');

export const inFolder = (name: string): string => join(folder, name);
export const read = (name: string): string => readFileSync(inFolder(name), 'utf8');
export const write = (name: string, content: string | Uint8Array): void => writeFileSync(inFolder(name), content);

interface Expectation {
  /** The exit status; another one ends the story. */
  readonly expected?: number;
  /** Whether what it prints is shown only where it ends otherwise. */
  readonly quiet?: boolean;
  /** Whether its progress is shown while it runs. */
  readonly long?: boolean;
}

/** Runs one command in the folder and returns what it prints. */
export function zkl(
  comment: string,
  command: string,
  { expected = 0, quiet = false, long = false }: Expectation = {},
): string {
  console.log(`\n# ${comment}\n$ zkl ${command}`);
  const args = command.split(' ').map((a) => a.replace('MODEL_DIR', model).replace('ADAPTER_DIR', adapter));
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', long ? 'inherit' : 'pipe'],
  });
  if (!quiet || status !== expected) process.stdout.write(`${stdout}${long ? '' : stderr}`);
  if (status === expected) return stdout;
  console.error(`\nthe command above exited with ${status}, expected ${expected}`);
  process.exit(1);
}
