/**
 * Runs that are killed at random moments and go on: each ends with the adapter of a run that nobody disturbed, is accepted, and no two
 * proofs of all that were written have a masked message, a point or a blinding in common.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { writeCalibration } from '../../models/calibrate/file.ts';
import { writeSafetensors } from '../../models/files/safetensors-writer.ts';
import { decodeOpening, decodeProof, decodeProofHead } from '../../runtime/codec/files.ts';
import { decodeBody, pointList, scalarList } from '../../runtime/protocol/argument.ts';
import { outputPoints, planProgram } from '../../runtime/protocol/program.ts';
import { mainFile, Workplace } from '../apps/command/run.ts';
import type { Draw } from '../kit/draw.ts';
import { calibration, text, twoData } from '../models/training/toy.ts';

const STEPS = 6;
/** Milliseconds between two looks at what is written. */
const PATIENCE = 10;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Everything that is written into a run, whatever becomes of it. */
class Watch {
  /** By content. */
  readonly proofs = new Map<string, Uint8Array>();
  /** Seeds of blindings, and the commitments that they are for. */
  readonly seeds = new Map<string, string>();
  readonly failures: string[] = [];

  look(run: string): void {
    for (const [name, bytes] of filesOf(run, ['steps', 'links'], /^\d{6}\.zkp$/)) {
      const key = `${name} ${hex(bytes)}`;
      if (!this.proofs.has(key)) this.proofs.set(key, bytes);
    }
    for (const [name, bytes] of filesOf(run, ['private', 'private/state', 'private/links'], /\.zko$/)) {
      const { seed, commitment, matrix } = decodeOpening(bytes);
      // A first state that everybody knows has no blindings.
      if (seed.every((b) => b === 0)) continue;
      const [own, before] = [`${hex(commitment)} ${hex(matrix)}`, this.seeds.get(hex(seed))];
      if (before !== undefined && before !== own) this.failures.push(`${name} has the seed of another opening`);
      this.seeds.set(hex(seed), own);
    }
  }

  /** @returns how many points and scalars were compared */
  async compare(run: string): Promise<number> {
    const programs = new Map(
      filesOf(run, ['programs'], /\.zkb$/).map(([, bytes]) => {
        const bundle = decodeBundle(bytes);
        return [hex(bundle.digest), bundle.gadgets] as const;
      }),
    );
    const seen = new Map<string, string>();
    for (const [key, bytes] of this.proofs) {
      const [name] = key.split(' ');
      const program = programs.get(hex(decodeProofHead(bytes).program));
      // Of a link nobody keeps the program.
      if (program === undefined) continue;
      const { body } = decodeProof(program, bytes);
      const read = decodeBody(await planProgram(program), body);
      if (typeof read === 'string') throw new Error(`${name}: ${read}`);
      // The rows of the state that it makes are those of its one opening, in every proof of the step.
      const outputs = new Set(outputPoints(program, body).flatMap((all) => split(all)));
      const points = pointList(read.points).map(hex);
      for (const item of [...points.filter((p) => !outputs.has(p)), ...scalarList(read.scalars).map(String)]) {
        const before = seen.get(item);
        if (before !== undefined) this.failures.push(`${name} and ${before} have ${item.slice(0, 20)}... in common`);
        seen.set(item, name);
      }
    }
    return seen.size;
  }
}

const split = (points: Uint8Array): string[] =>
  Array.from({ length: points.length / 48 }, (_, k) => hex(points.subarray(48 * k, 48 * k + 48)));

/** Files appear whole: what is read is never a part of one, but it may be gone. */
function filesOf(run: string, folders: readonly string[], pattern: RegExp): [string, Uint8Array][] {
  return folders.flatMap((folder) => {
    const names = existsSync(join(run, folder)) ? readdirSync(join(run, folder)) : [];
    return names
      .filter((name) => pattern.test(name) && !name.startsWith('.'))
      .map((name): [string, Uint8Array] => [
        `${folder}/${name}`,
        Uint8Array.from(readFileSync(join(run, folder, name))),
      ]);
  });
}

/** Kills a run so many times. @param fail told what should not be */
export async function killedRuns(
  kills: number,
  draw: Draw,
  fail: (what: string) => void,
  say: (line: string) => void,
): Promise<void> {
  const place = new Workplace(mkdtempSync(join(tmpdir(), 'zkl-soak-')));
  try {
    place.write('toy.zkl', text);
    // So narrow that a value does not fit at the third step, where another phase begins.
    const values = new Map(Object.entries({ ...calibration, 'u.grad': { bits: 6, frac: 6 } }));
    place.write(
      'toy.calibration.json',
      writeCalibration({ about: '', measured: undefined, weights: new Map(), values }),
    );
    const tensors = [...twoData].map(([name, tensor]) => [name, { dtype: 'F32' as const, ...tensor }] as const);
    place.write('data.safetensors', writeSafetensors(new Map(tensors)));
    const args = (run: string, steps: number): string[] => [
      ...['train', 'toy.zkl', '--dim', 'M=2', '--data', 'data.safetensors', '-o', run, '--threads', '1'],
      ...['--steps', String(steps)],
    ];
    const must = (...all: string[]): void => {
      const { status, stdout, stderr } = place.process(all);
      if (status !== 0) fail(`zkl ${all.join(' ')} ended with ${status}: ${stdout}${stderr}`);
    };
    must(...args('begun', 0), '--seed', 'ab'.repeat(32), '--nonce', '01');
    cpSync(place.file('begun'), place.file('calm'), { recursive: true });
    const timed = (steps: number): number => {
      const start = performance.now();
      must(...args('calm', steps));
      return performance.now() - start;
    };
    // Moments from before it is ready until two steps are made, so that a run is killed several times before it ends.
    const ready = timed(0);
    const window = 0.5 * ready + (2 / STEPS) * Math.max(0, timed(STEPS) - ready);
    const adapter = `private/state/${String(STEPS).padStart(6, '0')}.safetensors`;
    const wanted = place.read(`calm/${adapter}`);
    const watch = new Watch();
    watch.look(place.file('calm'));
    let [killed, ended] = [0, 0];
    const finish = (): void => {
      must(...args('killed', STEPS));
      watch.look(place.file('killed'));
      if (!place.read(`killed/${adapter}`).equals(wanted)) fail('the adapter is another one');
      must('verify', 'toy.zkl', 'killed', '--dim', 'M=2', '--nonce', '01', '--threads', '1');
      const left = readdirSync(place.file('killed'), { recursive: true, encoding: 'utf8' });
      const odd = left.filter((name) => name.endsWith('.tmp') || name.includes('lock'));
      if (odd.length > 0) fail(`${odd.join()} is left`);
      rmSync(place.file('killed'), { recursive: true, force: true });
      ended++;
    };
    while (killed < kills) {
      if (!existsSync(place.file('killed'))) cpSync(place.file('begun'), place.file('killed'), { recursive: true });
      const child = spawn(process.execPath, [mainFile, ...args('killed', STEPS)], { cwd: place.path, stdio: 'ignore' });
      const exit = once(child, 'exit');
      const end = performance.now() + 0.5 * ready + draw.below(Math.ceil(window));
      while (performance.now() < end && child.exitCode === null) {
        await setTimeout(PATIENCE);
        watch.look(place.file('killed'));
      }
      const hasEnded = child.exitCode !== null;
      child.kill('SIGKILL');
      await exit;
      watch.look(place.file('killed'));
      if (!hasEnded) killed++;
      else if (child.exitCode !== 0) fail(`a run that goes on ended with ${child.exitCode}`);
      if (hasEnded) finish();
      if (killed % 10 === 0 && !hasEnded) say(`killed ${killed} times, ${watch.proofs.size} proofs`);
    }
    if (existsSync(place.file('killed'))) finish();
    const compared = await watch.compare(place.file('calm'));
    for (const what of watch.failures) fail(what);
    say(
      `killed ${killed} times, ended ${ended} times with the same adapter and accepted: ${watch.proofs.size} proofs,`,
    );
    say(`  ${compared} points and scalars and ${watch.seeds.size} seeds of blindings, none of them twice`);
  } finally {
    place.remove();
  }
}
