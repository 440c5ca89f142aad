/** `zkl verify` of runs that somebody tampered with: what it says, how it ends, and what it keeps. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeCalibration } from '../../../models/calibrate/file.ts';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { calibration, data, text } from '../../models/training/toy.ts';
import { decodeHeader, encodeHeader, type RunHeader } from '../../../runtime/run/header.ts';
import { makeWorkplace, small, type Result, type Workplace } from './run.ts';

let place: Workplace;

beforeAll(() => {
  place = makeWorkplace();
  place.write('toy.zkl', text);
  place.write('based.zkl', based);
  const values = new Map(Object.entries(calibration));
  const scales = writeCalibration({ about: '', measured: undefined, weights: new Map(), values });
  for (const name of ['toy', 'based']) place.write(`${name}.calibration.json`, scales);
  place.write('data.safetensors', tensors(data));
});
afterAll(() => place.remove());

/** The toy, with open weights. */
const based = text
  .replace('secret A[', 'open W[O, I]: fixed<8, 6> from base "w"\n  secret A[')
  .replace('B[o, r]))', 'B[o, r]) + sum(i) x[n, i] * W[o, i] / 4)');

const tensors = (of: typeof data): Uint8Array =>
  writeSafetensors(new Map([...of].map(([name, tensor]) => [name, { dtype: 'F32', ...tensor }])));

const train = (program: string, run: string, ...more: readonly string[]): Result =>
  place.ok('train', program, '--data', 'data.safetensors', '-o', run, ...small, ...more);

const verify = (program: string, run: string, ...more: readonly string[]): Result =>
  place.zkl(['verify', program, run, ...small, ...more]);

describe('a commitment to open weights that were checked', () => {
  const weights = (value: number) => new Map([['w', { shape: [2, 3], values: new Float64Array(6).fill(value) }]]);

  test('is the one that is there, and not what the header says of it', () => {
    place.write('public.safetensors', tensors(weights(0.25)));
    place.write('other.safetensors', tensors(weights(0.5)));
    const seed = ['--seed', 'ab'.repeat(32), '--steps', '1'];
    train('based.zkl', 'honest', '--weights', 'base=public.safetensors', ...seed);
    train('based.zkl', 'false', '--weights', 'base=other.safetensors', ...seed);
    expect(verify('based.zkl', 'false').status).toBe(2);
    // The commitment is to the public weights, and the header names that to the others.
    cpSync(place.file('false'), place.file('decoy'), { recursive: true });
    cpSync(place.file('honest/base.zkc'), place.file('decoy/base.zkc'));
    expect(verify('based.zkl', 'decoy', '--weights', 'base=public.safetensors').status).toBe(1);
    expect(verify('based.zkl', 'false').stderr).toContain('nobody has checked the commitment to the open weights');
    expect(verify('based.zkl', 'honest', '--weights', 'base=public.safetensors').status).toBe(0);
    expect(verify('based.zkl', 'honest').stdout).toContain('checked earlier: compared with the weights of');
    const kept = readdirSync(place.file('home/.cache/zkl')).filter((name) => name.startsWith('checked-'));
    expect(kept).toHaveLength(1);
  });
});

describe('a run that is tampered with', () => {
  beforeAll(() => {
    train('toy.zkl', 'run', '--steps', '2', '--seed', 'ab'.repeat(32));
  });

  type Change = (run: string) => void;
  const file =
    (name: string, content: string | undefined): Change =>
    (run) => {
      rmSync(place.file(`${run}/${name}`), { recursive: true, force: true });
      if (content !== undefined) place.write(`${run}/${name}`, content);
    };
  const moved =
    (from: string, to: string): Change =>
    (run) =>
      renameSync(place.file(`${run}/${from}`), place.file(`${run}/${to}`));
  const text = (change: (header: string) => string): Change => {
    return (run) => void place.write(`${run}/run.json`, change(place.read(`${run}/run.json`).toString()));
  };
  const header = (change: (header: RunHeader) => RunHeader): Change =>
    text((given) => encodeHeader(change(decodeHeader(given))));
  const types = (key: string, type: { bits: number; frac: number } | undefined): Change =>
    header((h) => {
      const { [key]: _, ...others } = h.phases[0].calibration;
      return {
        ...h,
        phases: [{ ...h.phases[0], calibration: type === undefined ? others : { ...others, [key]: type } }],
      };
    });
  const pipe: Change = (run) => {
    rmSync(place.file(`${run}/steps/000001.zkp`));
    expect(spawnSync('mkfifo', [place.file(`${run}/steps/000001.zkp`)]).status).toBe(0);
  };
  const link: Change = (run) => {
    mkdirSync(place.file(`${run}/links`));
    for (const end of ['zkp', 'zkc']) place.write(`${run}/links/000003.${end}`, 'x');
  };

  const PROOF = 'steps/000001.zkp';
  test.each<[string, Change, number, string]>([
    ['types of no bits', types('u.grad', { bits: 0, frac: 8 }), 1, 'step 0: with the types of the phase the text'],
    ['types of a million bits', types('u.grad', { bits: 1e6, frac: 8 }), 1, 'bits from 1 to 64'],
    ['types beyond all numbers', types('u.grad', { bits: 1e15, frac: -1e15 }), 1, 'bits from 1 to 64'],
    ['a type less', types('u.grad', undefined), 1, 'there is no scale for "u.grad"'],
    [
      'a later phase without types',
      header((h) => ({ ...h, phases: [...h.phases, { ...h.phases[0], first: 1, calibration: {} }] })),
      1,
      'step 1: with the types',
    ],
    [
      'two phases of one step',
      header((h) => ({ ...h, phases: [...h.phases, ...h.phases] })),
      2,
      'phase 2 begins at no step',
    ],
    [
      'a phase before the first',
      header((h) => ({ ...h, phases: [{ ...h.phases[0], first: -1 }] })),
      2,
      'phase 1 begins',
    ],
    ['nothing', () => undefined, 0, 'accepted: changed, 2 steps'],
    ['no JSON', text(() => '['.repeat(1e6)), 2, 'the header of the run is no JSON'],
    [
      'an unknown field that moves the cursor',
      text((h) => h.replace('"id"', '"\\u001b[1A": 1, "id"')),
      2,
      'an unknown field "\\x1b[1A"',
    ],
    ['too many rows', header((h) => ({ ...h, rows: 2 ** 53 - 1 })), 1, 'takes 2 of 9007199254740991 rows'],
    ['no seed', header(({ seed: _, ...h }) => h), 1, 'the commitment to the first state'],
    ['no commitment', file('data.zkc', undefined), 2, 'changed: data.zkc is missing'],
    [
      'another commitment',
      (run) => cpSync(place.file(`${run}/start.zkc`), place.file(`${run}/data.zkc`)),
      1,
      'the commitment to "data"',
    ],
    ['no commitment at all', file('data.zkc', 'x'), 1, 'the commitment to "data"'],
    [
      'a proof that is a directory',
      (run) => (file(PROOF, undefined)(run), mkdirSync(place.file(`${run}/${PROOF}`))),
      2,
      'it is no file',
    ],
    ['a proof that is a pipe', pipe, 2, 'it is no file'],
    [
      'a proof that has no end',
      (run) => (file(PROOF, undefined)(run), symlinkSync('/dev/zero', place.file(`${run}/${PROOF}`))),
      2,
      'it is no file',
    ],
    [
      'a proof that leads nowhere',
      (run) => (
        file(PROOF, undefined)(run),
        symlinkSync('nowhere', place.file(`${run}/${PROOF}`)),
        cpSync(place.file('run/steps/000000.zkp'), place.file(`${run}/steps/000002.zkp`))
      ),
      1,
      'step 1: it has no proof',
    ],
    ['a proof of nothing', file(PROOF, ''), 1, 'step 1: '],
    ['the first proof missing', file('steps/000000.zkp', undefined), 1, 'step 0: it has no proof'],
    ['all proofs missing', file('steps', undefined), 2, 'no step of the run is proved'],
    ['a step beyond all numbers', moved(PROOF, `steps/${'9'.repeat(60)}.zkp`), 1, 'step 1: it has no proof'],
    ['a step with a name of its own', moved(PROOF, 'steps/0000001.zkp'), 1, 'step 1: it has no proof'],
    ['a link of a state that no proof makes', link, 2, 'step 3: an adapter is linked to the state before it'],
    [
      'a link without its commitment',
      (run) => (link(run), moved('links/000003.zkp', 'links/000002.zkp')(run)),
      2,
      'links/000002.zkc is missing',
    ],
  ])('%s', (_, change, status, message) => {
    rmSync(place.file('changed'), { recursive: true, force: true });
    cpSync(place.file('run'), place.file('changed'), { recursive: true });
    change('changed');
    const result = verify('toy.zkl', 'changed');
    expect(result.stdout + result.stderr).toContain(message);
    expect(result.status).toBe(status);
  });

  test('the text that is given is at fault for its own errors', () => {
    place.write('wrong.zkl', place.read('toy.zkl').toString().replace('X[rows[n], i]', 'Z[rows[n], i]'));
    expect(verify('wrong.zkl', 'run').status).toBe(2);
    place.write('plain.zkl', 'model m { public x[3]: fixed<8, 0>\n public y = sum(i) x[i] }');
    const { status, stderr } = verify('plain.zkl', 'run');
    expect(stderr).toContain('the model "m" trains nothing');
    expect(status).toBe(2);
  });
});
