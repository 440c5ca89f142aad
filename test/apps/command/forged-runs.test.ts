/** `zkl verify` of runs that somebody tampered with: what it says, how it ends, and what it keeps. */
import { cpSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeCalibration } from '../../../models/calibrate/file.ts';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { calibration, data, text } from '../../models/training/toy.ts';
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
