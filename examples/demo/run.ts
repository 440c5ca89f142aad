/**
 * npm run demo: a small adapter of our own through every step of the command line, each command printed as it is run.
 * Works in a temporary folder, which it removes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../cli/bin.cjs', import.meta.url));
const adapter = fileURLToPath(new URL('adapter', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'zkl-demo-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Runs one command in the folder; ends the demo if it exits with another status than expected. */
function zkl(comment: string, args: readonly string[], expected = 0): void {
  console.log(`\n# ${comment}\n$ zkl ${args.map((a) => (a === adapter ? 'ADAPTER_DIR' : a)).join(' ')}`);
  const { status } = spawnSync(process.execPath, [main, ...args], { cwd: folder, stdio: 'inherit' });
  if (status === expected) return;
  console.error(`\nthe command above exited with ${status}, expected ${expected}`);
  process.exit(1);
}

zkl('a spec for all modules of a PEFT adapter, ready to read and edit', [
  'import',
  adapter,
  '--rows',
  '4',
  '-o',
  'adapter.zkl',
]);
console.log(`\n${readFileSync(join(folder, 'adapter.zkl'), 'utf8').trimEnd()}`);
zkl('names, shapes, ranges', ['check', 'adapter.zkl']);
zkl('its layout is the one and only', ['fmt', '--check', 'adapter.zkl']);
zkl('one deterministic file that prover and verifier share', ['compile', 'adapter.zkl', '-o', 'adapter.zkb']);
zkl('what is stated, by which gadgets, at what cost', ['inspect', 'adapter.zkb']);
zkl('once per adapter: a commitment to publish, an opening to keep', [
  'commit',
  'adapter.zkb',
  '--weights',
  adapter,
  '-o',
  'keys',
]);
zkl('outputs for activations, with a proof', [
  'prove',
  'adapter.zkb',
  '--weights',
  adapter,
  '--opening',
  'keys/opening.zko',
  '--inputs',
  'random:demo',
  '-o',
  'proof.zkp',
]);
zkl('anybody checks it, without the weights', [
  'verify',
  'adapter.zkb',
  '--commitment',
  'keys/commitment.zkc',
  'proof.zkp',
]);

const forged = readFileSync(join(folder, 'proof.zkp'));
forged[forged.length - 100] ^= 1;
writeFileSync(join(folder, 'forged.zkp'), forged);
zkl(
  'one bit of the proof changed: rejected',
  ['verify', 'adapter.zkb', '--commitment', 'keys/commitment.zkc', 'forged.zkp'],
  1,
);
console.log('\nThe adapter stayed hidden, the honest proof was accepted, the changed one rejected.');
