/** What `zkl import --train` takes, and how it says what it does not. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliError } from '../../../apps/command/errors.ts';
import { readArguments } from '../../../apps/command/parse/arguments.ts';
import { commands } from '../../../apps/command/parse/commands.ts';
import { trainingOf } from '../../../apps/command/training/options.ts';
import type { TrainingChoice } from '../../../models/import/training.ts';
import { makeLlama, modelFiles } from '../../support/model.ts';
import { makeWorkplace, type Workplace } from './run.ts';

const spec = commands.find(({ name }) => name === 'import')!;
const read = (...options: string[]): TrainingChoice | undefined =>
  trainingOf(readArguments(spec, ['model', '--tokens', '8', '-o', 'm.zkl', ...options]));

test('what is chosen', () => {
  expect(read()).toBeUndefined();
  expect(read('--train')).toEqual({ optimizer: { name: 'adamw' }, publicLoss: false });
  const numbers = ['--rank', '4', '--alpha=-0.5', '--batch', '2', '--examples', '9', '--steps', '50'];
  const update = ['--rate', '1e-3', '--betas', '0.8,.99', '--decay', '0', '--clip', '1', '--public-loss'];
  expect(read('--train', '--targets', 'q_proj, v_proj', ...numbers, ...update)).toEqual({
    ...{ targets: ['q_proj', 'v_proj'], rank: 4, alpha: -0.5, batch: 2, examples: 9, steps: 50, publicLoss: true },
    optimizer: { name: 'adamw', rate: 1e-3, beta1: 0.8, beta2: 0.99, decay: 0, limit: 1 },
  });
  expect(read('--train', '--optimizer', 'momentum', '--rate', '0.05', '--mu', '0')?.optimizer).toEqual({
    ...{ name: 'momentum', rate: 0.05, mu: 0 },
  });
  expect(read('--train', '--optimizer', 'sgd', '--rate', '1')?.optimizer).toEqual({ name: 'sgd', rate: 1 });
});

test.each<[string, string, string]>([
  ['--rank 4', '--rank has no meaning without --train', 'add --train'],
  ['--public-loss', '--public-loss has no meaning without --train', 'leave --public-loss out'],
  ['--train --adapter a --adapter b', '--train takes one adapter, not 2', 'merge_and_unload'],
  ['--train --adapter a --targets q', '--targets is given beside --adapter a', 'leave --adapter out'],
  ['--train --targets q,,v', '--targets is "q,,v"', 'q_proj,v_proj'],
  ['--train --alpha=0', '--alpha is "0"', 'other than 0'],
  ['--train --rank 1.5', '--rank is "1.5"', 'a whole number'],
  ['--train --batch 5 --examples 4', '--batch 5 is more than --examples 4', 'different rows'],
  ['--train --optimizer adam', '--optimizer is "adam"', 'did you mean adamw'],
  ['--train --mu 0.9', 'adamw has no --mu', '--rate, --betas, --decay, --clip'],
  ['--train --optimizer sgd', '--rate is missing: no rate is usual for sgd', '--rate 0.05'],
  ['--train --clip 0', '--clip is "0"', 'from 0.001'],
  ['--train --optimizer sgd --rate 1 --clip 1', 'sgd has no --clip', 'it has --rate'],
  ['--train --rate 0', '--rate is "0"', 'from 1e-9 to 1'],
  ['--train --rate fast', '--rate is "fast"', 'from 1e-9 to 1'],
  ['--train --betas 0.9', '--betas is "0.9"', '0.9,0.999'],
  ['--train --betas 0.9,1', '--betas is "0.9,1"', 'below 1'],
])('%s', (options, message, remedy) => {
  const call = (): unknown => read(...options.split(' '));
  expect(call).toThrow(CliError);
  try {
    call();
  } catch (error) {
    expect((error as CliError).message).toContain(message);
    expect((error as CliError).remedy).toContain(remedy);
  }
});

describe('on the command line', () => {
  let place: Workplace;
  beforeAll(() => {
    place = makeWorkplace();
    mkdirSync(place.file('llama'));
    for (const [file, content] of modelFiles(makeLlama())) place.write(`llama/${file}`, content);
    const modules = [{ path: 'model.layers.1.mlp.up_proj', inputs: 12, outputs: 20 }];
    place.adapter('style', { modules, rank: 3 });
  });
  afterAll(() => place.remove());

  test('a new adapter', () => {
    const { stdout } = place.ok('import', 'llama', '--train', '--tokens', '6', '--batch', '2', '-o', 'm.zkl');
    expect(stdout).toContain('m.zkl: LlamaForCausalLM of 2 layers, 6 tokens, a new adapter on 4 projections\n');
    expect(stdout).toContain('next: zkl calibrate m.zkl --weights base=llama --data FILE, of `tokens` and `mask`');
    expect(place.read('m.zkl').toString()).toContain('minimize loss over adapter by adamw(rate = 0.0002');
    expect(place.ok('check', 'm.zkl').stderr).toBe('');
    expect(place.zkl(['fmt', '--check', 'm.zkl']).status).toBe(0);
  });

  test('an adapter that is trained further', () => {
    const options = ['--adapter', 'style', '--train', '--tokens', '6', '-o', 's.zkl', '--json'];
    const said = JSON.parse(place.ok('import', 'llama', ...options).stdout) as Record<string, unknown>;
    expect(said).toMatchObject({ trained: ['model.layers.1.mlp.up_proj'], adapters: [{ source: 'adapter' }] });
    expect(place.read('s.zkl').toString()).toContain('lora<F, R>(n, alpha)');
    expect(place.ok('check', 's.zkl').stderr).toBe('');
  });

  test('an adapter alone cannot be trained', () => {
    const { status, stderr } = place.zkl(['import', 'style', '--rows', '3', '--train', '-o', 'a.zkl']);
    expect(status).toBe(2);
    expect(stderr).toContain('--train has no meaning here: style is the directory of an adapter');
  });
});
