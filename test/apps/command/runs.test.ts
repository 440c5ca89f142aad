/** `zkl calibrate --data`, `train`, `verify` of runs and `export`, as their user runs them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeCalibration } from '../../../models/calibrate/file.ts';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { calibration, data, text } from '../../models/training/toy.ts';
import { makeLlama, modelFiles } from '../../support/model.ts';
import { mainFile, makeWorkplace, small, type Workplace } from './run.ts';

let place: Workplace;

beforeAll(() => {
  place = makeWorkplace();
  place.write('toy.zkl', text);
  const values = new Map(Object.entries(calibration));
  place.write('toy.calibration.json', writeCalibration({ about: '', measured: undefined, weights: new Map(), values }));
  place.write('data.safetensors', rows(data));
});
afterAll(() => place.remove());

const rows = (tensors: typeof data): Uint8Array =>
  writeSafetensors(new Map([...tensors].map(([name, tensor]) => [name, { dtype: 'F32', ...tensor }])));

const trainArgs = (run: string, ...more: readonly string[]): string[] => [
  ...['train', 'toy.zkl', '--data', 'data.safetensors', '-o', run, ...small, ...more],
];

const json = (args: readonly string[]): Record<string, unknown> =>
  JSON.parse(place.zkl([...args, '--json']).stdout) as Record<string, unknown>;

const failing = (args: readonly string[], status = 2): string => {
  const result = place.zkl(args);
  expect(result.status).toBe(status);
  return result.stderr + result.stdout;
};

describe('a run', () => {
  beforeAll(() => {
    place.ok(...trainArgs('run', '--steps', '0', '--seed', 'ab'.repeat(32)));
  });

  test('commits first, and takes the nonce of the one whom it is for', () => {
    const begun = json(trainArgs('run', '--steps', '0'));
    expect(Object.keys(begun['commitments'] as object)).toEqual(['data', 'state']);
    const trained = json(trainArgs('run', '--steps', '2', '--nonce', '00Ff'));
    expect(trained).toMatchObject({ ok: true, steps: 2, proved: 2, nonce: '00ff', commitments: begun['commitments'] });
    const verify = ['verify', 'toy.zkl', 'run', '--nonce', '00ff', ...small];
    const { data: own, state } = begun['commitments'] as Record<string, string>;
    const loose = place.ok(...verify).stdout;
    expect(loose).toContain(`had before you drew it:\n    --pin data=${own}\n    --pin state=${state}\n`);
    const verdict = json([...verify, '--pin', `data=${own}`, '--pin', `state=${state}`]);
    expect(verdict).toMatchObject({ ok: true, verdict: 'accepted', steps: 2, began: 'seed', order: 'customer' });
    expect(verdict['losses']).toHaveLength(2);
  });

  test('is for its owner alone where it is secret', () => {
    const secret = place.file('run/private');
    expect(statSync(secret).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(secret, { recursive: true, encoding: 'utf8' })) {
      const status = statSync(join(secret, name));
      if (status.isFile()) expect(status.mode & 0o077, name).toBe(0);
    }
    expect(readdirSync(secret).filter((name) => name.startsWith('lock'))).toEqual([]);
    expect(statSync(place.file('run')).mode & 0o777).toBe(0o777 & ~process.umask());
  });

  test('says for whose order it is, and is rejected for another', () => {
    const { stdout } = place.ok('verify', 'toy.zkl', 'run', ...small);
    expect(stdout).toContain('accepted: run, 2 steps of training\n  loss from ');
    const units =
      /gradients in units of at most 2\^-8, of adapter:m.*\n {4}on their way in units of at most 2\^-6, of loss\n/;
    expect(stdout).toMatch(units);
    expect(stdout).toContain('order of rows: the trainer’s, who can have tried several');
    expect(failing(['verify', 'toy.zkl', 'run', '--nonce', 'ee', ...small], 1)).toContain(
      'rejected: the run has the nonce 00ff',
    );
    place.write('other.zkl', text.replace('rate = 0.25', 'rate = 0.5'));
    expect(failing(['verify', 'other.zkl', 'run', ...small], 1)).toContain('rejected: the run is of the model');
  });

  test('is exported as PEFT reads it, and linked', () => {
    const { stdout } = place.ok('export', 'run', '-o', 'adapter', ...small);
    expect(stdout).toContain('adapter: the adapter after 2 steps');
    expect(JSON.parse(place.read('adapter/adapter_config.json').toString())).toMatchObject({
      ...{ peft_type: 'LORA', r: 1, lora_alpha: 2, target_modules: ['m'] },
    });
    const verdict = json(['verify', 'toy.zkl', 'run', ...small]);
    const digest = /its digest is ([0-9a-f]{64})/.exec(stdout)?.[1];
    expect(verdict['adapters']).toEqual([{ step: 2, commitment: digest }]);
    expect(failing(['export', 'run', '-o', 'adapter', ...small])).toContain('exists');
    expect(failing(['export', 'run', '--step', '3', '-o', 'b', ...small])).toContain('give --step 2 or less');
    // It would be none that goes on.
    for (const inside of ['run', 'run/adapter', './adapter/../run/private/x'])
      expect(failing(['export', 'run', '-o', inside, ...small])).toContain('is in the run itself');
    // A run may begin with what another one ended with.
    place.ok(...trainArgs('further', '--adapter', 'adapter', '--steps', '1'));
    const further = json(['verify', 'toy.zkl', 'further', ...small]);
    expect(further).toMatchObject({ ok: true, began: 'linked' });
  });

  test.each<[string, readonly string[], string]>([
    ['another seed', ['--steps', '2', '--seed', 'cd'.repeat(32)], 'began with another --seed'],
    ['more steps than there are', ['--steps', '41'], 'the program counts 40 steps'],
    ['a stretch that is not there', ['--prove', '1..2'], 'the run has 2 steps'],
    ['a stretch that is none', ['--prove', '2..1'], '--prove is "2..1"'],
    ['a nonce that comes too late', ['--steps', '2', '--nonce', 'aa'], 'the run has the nonce 00ff'],
    ['a nonce that is none', ['--steps', '2', '--nonce', 'xyz'], 'pairs of hexadecimal digits'],
    ['both beginnings', ['--steps', '2', '--seed', 'cd'.repeat(32), '--adapter', 'x'], '--seed and --adapter'],
  ])('refuses %s', (_, options, message) => {
    expect(failing(trainArgs('run', ...options))).toContain(message);
  });

  test('refuses data that are not those that were committed to', () => {
    place.write(
      'zeros.safetensors',
      rows(
        new Map(
          [...data].map(([name, t]) => [
            name,
            { ...t, values: t.values instanceof Float64Array ? new Float64Array(t.values.length) : [] },
          ]),
        ),
      ),
    );
    const args = trainArgs('run', '--steps', '3').map((arg) => arg.replace('data.safetensors', 'zeros.safetensors'));
    expect(failing(args)).toContain('are not the ones this opening was made for');
  });

  test('does not take a directory of something else', () => {
    place.adapter('else', { modules: [{ path: 'm', inputs: 3, outputs: 2 }], rank: 1 });
    expect(failing(trainArgs('else', '--steps', '1'))).toContain('else is there, and is no run');
    expect(existsSync(place.file('else/private'))).toBe(false);
    expect(failing(['verify', 'toy.zkl', 'else'])).toContain('else is no run');
  });
});

test('killed at three moments, a run goes on to the same adapter', async () => {
  const args = trainArgs('killed', '--steps', '4', '--seed', 'ab'.repeat(32), '--nonce', '01');
  place.ok(...trainArgs('killed', '--steps', '0', '--seed', 'ab'.repeat(32)));
  const steps = (): string[] => (existsSync(place.file('killed/steps')) ? readdirSync(place.file('killed/steps')) : []);
  const seen = new Map<string, Buffer>();
  for (const moment of [0, 1, 2]) {
    const child = spawn(process.execPath, [mainFile, ...args], { cwd: place.path, stdio: 'ignore' });
    // After a proof is there, wherever the next step is by then.
    while (
      steps().filter((name) => name.endsWith('.zkp') && !name.startsWith('.')).length <= moment &&
      child.exitCode === null
    )
      await new Promise((done) => setTimeout(done, 5));
    await new Promise((done) => setTimeout(done, 40 * moment));
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (const name of steps())
      if (/^\d+\.zkp$/.test(name)) {
        const bytes = readFileSync(place.file(`killed/steps/${name}`));
        if (seen.has(name)) expect(bytes.equals(seen.get(name)!)).toBe(true);
        seen.set(name, bytes);
      }
  }
  place.ok(...args);
  expect(json(['verify', 'toy.zkl', 'killed', '--nonce', '01', ...small])).toMatchObject({ ok: true, steps: 4 });
  // The integers follow from what was committed to: made again without proofs, they are the same.
  const last = place.read('killed/private/state/000004.safetensors');
  for (const k of [1, 2, 3, 4])
    for (const end of ['safetensors', 'zko']) rmSync(place.file(`killed/private/state/00000${k}.${end}`));
  place.ok(...args, '--no-prove');
  expect(place.read('killed/private/state/000004.safetensors').equals(last)).toBe(true);
  expect(readdirSync(place.file('killed/steps')).filter((name) => !/^\d{6}\.zkp$/.test(name))).toEqual([]);
});

describe('scales of a step', () => {
  beforeAll(() => {
    place.write('tokens.safetensors', tokens(6, 5));
  });

  const tokens = (count: number, length: number): Uint8Array => {
    const values = Int32Array.from({ length: count * length }, (_, k) => (7 * k) % 23);
    return writeSafetensors(new Map([['tokens', { dtype: 'I32', shape: [count, length], values }]]));
  };

  test('follow from a few steps in float64', () => {
    const folder = 'llama';
    mkdirSync(place.file(folder));
    for (const [file, content] of modelFiles(makeLlama())) place.write(`${folder}/${file}`, content);
    place.ok(
      'import',
      folder,
      '--train',
      '--tokens',
      '4',
      '--batch',
      '2',
      '--examples',
      '6',
      '--rank',
      '2',
      '-o',
      'm.zkl',
    );
    const calibrate = ['calibrate', 'm.zkl', '--weights', `base=${folder}`, '--threads', '1'];
    const { stdout } = place.ok(...calibrate, '--data', 'tokens.safetensors', '--steps', '3');
    expect(stdout).toContain('from 3 steps');
    expect(place.read('m.calibration.json').toString()).toContain('q_proj.lora_A.weight.grad": "fixed<20,');
    const first = place.read('m.calibration.json');
    place.ok(...calibrate, '--data', 'tokens.safetensors', '--steps', '3');
    expect(place.read('m.calibration.json').equals(first)).toBe(true);
    expect(place.zkl(['check', 'm.zkl']).status).toBe(0);

    place.write('few.safetensors', tokens(5, 5));
    expect(failing([...calibrate, '--data', 'few.safetensors'])).toContain(
      '"tokens" has the shape [5, 5], the program takes [6, 5]',
    );
    place.write('long.safetensors', tokens(6, 9));
    expect(failing([...calibrate, '--data', 'long.safetensors'])).toContain('--tokens 8');
    const wrong = new Map([['tokens', { dtype: 'I32' as const, shape: [6, 5], values: new Int32Array(30).fill(23) }]]);
    place.write('wrong.safetensors', writeSafetensors(wrong));
    expect(failing([...calibrate, '--data', 'wrong.safetensors'])).toContain('outside index<23>');
    const masked = { shape: [6, 5], values: new Uint8Array(30) };
    const all = ['tokens', 'mask'].map((name) => [name, { dtype: 'U8' as const, ...masked }] as const);
    place.write('masked.safetensors', writeSafetensors(new Map(all)));
    const nothing = failing([...calibrate, '--data', 'masked.safetensors', '--steps', '2']);
    expect(nothing).toContain('no gradient is other than 0 in 2 steps: every target is masked');
    expect(nothing).toContain('give data in which some tokens are targets');
    place.write('none.safetensors', tokens(0, 5));
    expect(failing([...calibrate, '--data', 'none.safetensors'])).toContain('reshape it, or change the dimensions');
    expect(failing([...calibrate, '--samples', 'random:1'])).toContain('give --data FILE');
    expect(failing([...calibrate, '--data', 'tokens.safetensors', '--bits', '9'])).toContain(
      '--bits is given beside --data',
    );
  });
});
