/** From a model's directory to a calibrated program and its comparison with floating point, on the command line. */
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeGpt2, makeLlama, modelFiles, type MadeModel } from '../../support/model.ts';
import { makeWorkplace, type Result, type Workplace } from './run.ts';

const MODULES = [0, 1].flatMap((l) => [
  { path: `model.layers.${l}.self_attn.q_proj`, inputs: 12, outputs: 16 },
  { path: `model.layers.${l}.self_attn.v_proj`, inputs: 12, outputs: 8 },
]);
const SAMPLES = {
  about: 'made up',
  tokens: [
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
    [22, 0, 11, 22, 0, 11, 22, 0, 11],
    [5, 5, 5, 5, 5, 5, 5, 5, 5],
  ],
};

describe('models on the command line', () => {
  let place: Workplace;
  const model = (name: string, made: MadeModel, shards = 1): string => {
    mkdirSync(place.file(name), { recursive: true });
    for (const [file, content] of modelFiles(made, shards)) place.write(`${name}/${file}`, content);
    return name;
  };

  beforeAll(() => {
    place = makeWorkplace();
    model('llama', makeLlama(), 2);
    model('gpt2', makeGpt2({}, ''));
    place.adapter('style', { modules: MODULES, rank: 2 });
    place.adapter('task-2', { modules: MODULES.slice(0, 1), rank: 3, seed: 4 });
    place.write('samples.json', JSON.stringify(SAMPLES));
    place.ok('import', 'llama', '--adapter', 'style', '--tokens', '8', '-o', 'm.zkl');
  });
  afterAll(() => place.remove());

  const weights = ['--weights', 'base=llama', '--weights', 'adapter=style'];

  test('import, calibrate, check, compare, compile', () => {
    const before = place.ok('check', 'm.zkl');
    expect(before.stdout).toMatch(/54 scales are left to calibration \(zkl calibrate\): x, /);
    const refused = place.zkl(['compile', 'm.zkl', '-o', 'm.zkb']);
    expect([refused.status, existsSync(place.file('m.zkb'))]).toEqual([1, false]);
    expect(refused.stderr).toMatch(/error\[ZKL404\]: a scale that is not known[\s\S]*zkl calibrate/);

    const calibrated = place.ok('calibrate', 'm.zkl', ...weights, '--samples', 'samples.json');
    expect(calibrated.stdout).toMatch(
      /^m.calibration.json: 35 scales of values, 19 scales of weights; values of 16 bits/,
    );
    expect(calibrated.stdout).toMatch(/ {2}model\.layers\S+ +fixed<16, \d+> +seen [\d.]+ +holds [2-9]\.\d+ times that/);
    expect(place.ok('check', 'm.zkl').stdout).toMatch(/^llama: \d+ tensors, \d+ equations, no errors\n$/);
    // The same samples, the same bytes.
    const first = place.read('m.calibration.json');
    place.ok('calibrate', 'm.zkl', ...weights, '--samples', 'samples.json', '--no-cache', '-o', 'again.json');
    expect(place.read('again.json')).toEqual(first);

    const compared = place.ok('compare', 'm.zkl', ...weights, '--samples', 'samples.json', '--json');
    const json = JSON.parse(compared.stdout) as Record<string, number> & {
      tensors: { name: string; relative: number }[];
    };
    expect(json['samples']).toBe(3);
    expect(json['agreement']).toBe(1);
    expect(Math.abs(json['crossEntropy'] - json['floatCrossEntropy'])).toBeLessThan(0.01);
    expect(json.tensors.length).toBeGreaterThan(40);
    expect(Math.max(...json.tensors.map((t) => t.relative))).toBeLessThan(0.02);
    const text = place.ok('compare', 'm.zkl', ...weights, '--samples', 'samples.json', '--limit', '1').stdout;
    expect(text).toMatch(/l\[1\] +x' [\d.e-]+ % +most: /);
    expect(text).toMatch(
      /the same most likely token at 100.00 % of 8 positions, at the last one of 1 of 1, cross-entropy [\d.]+ \(float64 [\d.]+, [+-][\d.]+ %\), [\d.e-]+ apart at a position/,
    );
  });

  test('what was measured before is not measured again, unless something is another', () => {
    const REMEMBERED = /measured on \d{4}-\d\d-\d\d, on the same program, weights and samples/;
    const calibrate = (...more: string[]): string =>
      place.ok('calibrate', 'm.zkl', ...weights, '--samples', 'samples.json', '-o', 'r.json', ...more).stdout;
    const compare = (...more: string[]): string =>
      place.ok('compare', 'm.zkl', ...weights, '--calibration', 'r.json', '--samples', 'samples.json', ...more).stdout;
    calibrate('--no-cache');
    const file = place.read('r.json');
    calibrate();
    expect(calibrate()).toMatch(REMEMBERED);
    expect(place.read('r.json')).toEqual(file);
    expect(calibrate('--no-cache')).not.toMatch(REMEMBERED);
    const first = compare('--no-cache');
    expect(first).not.toMatch(REMEMBERED);
    compare();
    const again = compare();
    expect(again).toMatch(REMEMBERED);
    expect(again.replace(/measured on .*\n/, '')).toBe(first);

    expect(calibrate('--headroom', '3')).not.toMatch(REMEMBERED);
    expect(compare(), 'other scales').not.toMatch(REMEMBERED);
    place.write('others.json', JSON.stringify({ tokens: SAMPLES.tokens.map((list) => list.toReversed()) }));
    const others = ['--samples', 'others.json', '-o', 'o.json'];
    expect(place.ok('calibrate', 'm.zkl', ...weights, ...others).stdout).not.toMatch(REMEMBERED);
    place.adapter('style-9', { modules: MODULES, rank: 2, seed: 9 });
    const otherWeights = ['--weights', 'base=llama', '--weights', 'adapter=style-9'];
    expect(
      place.ok('compare', 'm.zkl', ...otherWeights, '--calibration', 'r.json', '--samples', 'samples.json').stdout,
    ).not.toMatch(REMEMBERED);

    // A damaged entry is none.
    const cache = place.file('home/.cache/zkl');
    for (const name of readdirSync(cache).filter((n) => /^(calibrated|compared)-/.test(n)))
      writeFileSync(join(cache, name), 'junk');
    expect(compare()).not.toMatch(REMEMBERED);
    expect(compare()).toMatch(REMEMBERED);
  });

  test('fewer bits, and an adapter that the scales say nothing about', () => {
    const options = ['--weights', 'base=llama', '--samples', 'random:7', '--limit', '2'];
    const calibrated = place.ok(
      'calibrate',
      'm.zkl',
      ...options,
      '--bits',
      '10',
      '--weight-bits',
      '9',
      '-o',
      'small.json',
    );
    expect(calibrated.stdout).toMatch('no --weights for "adapter": taken as zeros, so the scales say nothing about it');
    expect(place.read('small.json').toString()).toMatch(/"base:model.norm.weight": "fixed<9, \d+>"/);
    const json = JSON.parse(
      place.ok('compare', 'm.zkl', ...options, '--calibration', 'small.json', '--json').stdout,
    ) as { tensors: { relative: number }[] };
    expect(Math.max(...json.tensors.map((t) => t.relative))).toBeGreaterThan(0.002);
  });

  test('a reference of other software', () => {
    place.ok('import', 'gpt2', '--tokens', '4', '-o', 'g.zkl');
    const base = ['--weights', 'base=gpt2', '--samples', 'random:1'];
    place.ok('calibrate', 'g.zkl', ...base);
    const logits = Array.from({ length: 4 }, () => Array.from({ length: 19 }, (_, k) => (k === 3 ? 100 : 0)));
    place.write('reference.json', JSON.stringify({ logits }));
    const out = place.ok('compare', 'g.zkl', ...base, '--reference', 'reference.json').stdout;
    expect(out).toMatch(/most likely token of the reference: the same at \d+\.\d\d %/);
    expect(out).toMatch(/float64 logits differ from the reference by up to \d+/);
  });

  test('several adapters get names of their own, and edits are never replaced', () => {
    const args = ['import', 'llama', '--adapter', 'style', '--adapter', 'task-2', '--tokens', '4', '-o', 'two.zkl'];
    expect(place.ok(...args).stdout).toMatch(
      'next: zkl calibrate two.zkl --weights base=llama --weights style=style --weights task_2=task-2 --samples FILE',
    );
    expect(place.read('two.zkl').toString()).toMatch(/source style, task_2/);
    expect(place.ok('check', 'two.zkl').stderr).toBe('');
    place.write('two.zkl', `${place.read('two.zkl').toString()}// mine\n`);
    expect(place.zkl(args).stderr).toMatch('two.zkl exists and may hold edits of yours');
  });

  /** Status 2, the thing and the remedy, nothing of the inside. */
  function refused(result: Result, thing: string | RegExp, remedy: string | RegExp): void {
    expect([result.status, result.stdout]).toEqual([2, '']);
    const [first, ...rest] = result.stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !/: [\d.]+ m?s$|\.\.\.$/.test(line));
    expect(first).toMatch(thing);
    expect(rest.join('\n')).toMatch(remedy);
    expect(result.stderr).not.toMatch(/internal error|\n {4}at /);
  }

  describe('bad input', () => {
    test('import', () => {
      refused(place.zkl(['import', 'llama', '-o', 'x.zkl']), '--tokens N is missing', 'zkl import llama --tokens 64');
      refused(place.zkl(['import', 'style', '-o', 'x.zkl']), '--rows N is missing', '--rows 15');
      refused(
        place.zkl(['import', 'llama', '--rows', '3', '--tokens', '4', '-o', 'x.zkl']),
        '--rows has no meaning here',
        'leave --rows out',
      );
      refused(
        place.zkl(['import', 'style', '--rows', '3', '--tokens', '4', '-o', 'x.zkl']),
        '--tokens has no meaning here',
        'leave',
      );
      refused(
        place.zkl(['import', 'llama', '--tokens', '33', '-o', 'x.zkl']),
        'the model has 32 positions',
        '--tokens 32',
      );
      refused(
        place.zkl(['import', 'gpt2', '--adapter', 'style', '--tokens', '4', '-o', 'x.zkl']),
        'no projections of this model',
        'another model',
      );
      refused(
        place.zkl(['import', 'llama', '--adapter', 'nowhere', '--tokens', '4', '-o', 'x.zkl']),
        'nowhere',
        'check the path',
      );
      place.adapter('dora', { modules: MODULES, rank: 2, config: { use_dora: true, lora_bias: true, bias: 'all' } });
      refused(
        place.zkl(['import', 'llama', '--adapter', 'dora', '--adapter', 'style', '--tokens', '33', '-o', 'x.zkl']),
        'llama: it cannot be imported, for 4 reasons',
        /use_dora is true[\s\S]*lora_bias is true[\s\S]*bias is "all"[\s\S]*32 positions[\s\S]*mend all of them/,
      );
      model('other', { ...makeLlama(), config: { architectures: ['BertModel'] } });
      refused(
        place.zkl(['import', 'other', '--tokens', '4', '-o', 'x.zkl']),
        '"BertModel" cannot be imported',
        'LlamaForCausalLM',
      );
      expect(existsSync(place.file('x.zkl'))).toBe(false);
    });

    test('directories that hold no adapter and no model themselves', () => {
      mkdirSync(place.file('runs/empty/deep'), { recursive: true });
      mkdirSync(place.file('runs/.hidden'), { recursive: true });
      cpSync(place.file('style'), place.file('runs/.hidden/style'), { recursive: true });
      const neither = 'runs is the directory of no adapter and of no model';
      refused(place.zkl(['import', 'runs', '--tokens', '4', '-o', 'x.zkl']), neither, 'save_pretrained');
      cpSync(place.file('llama'), place.file('runs/empty/deep/llama'), { recursive: true });
      refused(
        place.zkl(['import', 'runs/empty', '-o', 'x.zkl']),
        /no adapter and of no model/,
        'runs/empty/deep/llama',
      );
      cpSync(place.file('style'), place.file('runs/checkpoint-500'), { recursive: true });
      refused(place.zkl(['import', 'runs', '--rows', '4', '-o', 'x.zkl']), neither, 'give runs/checkpoint-500');
      refused(
        place.zkl(['import', 'llama', '--adapter', 'runs', '--tokens', '4', '-o', 'x.zkl']),
        neither,
        'there is one below: give runs/checkpoint-500',
      );
      cpSync(place.file('style'), place.file('runs/checkpoint-1000'), { recursive: true });
      refused(
        place.zkl(['calibrate', 'm.zkl', '--samples', 'random:1', '--weights', 'base=runs', '-o', 'x.json']),
        neither,
        'there are some below: give runs/checkpoint-1000 or runs/checkpoint-500',
      );
      refused(
        place.zkl(['import', 'llama', '--adapter', 'gpt2', '--tokens', '4', '-o', 'x.zkl']),
        'gpt2 is the directory of a model, not of an adapter',
        'adapter_config.json',
      );
    });

    test('calibrate', () => {
      const calibrate = (...args: string[]): Result => place.zkl(['calibrate', 'm.zkl', '-o', 'x.json', ...args]);
      refused(calibrate('--samples', 'random:1'), 'no --weights for the source "base"', '--weights base=DIR');
      refused(calibrate(...weights, '--samples', 'none.json'), 'none.json: there is no such file', 'check the path');
      refused(
        calibrate('--weights', 'bas=llama', '--samples', 'random:1'),
        'for no source of the program',
        'did you mean base',
      );
      refused(calibrate(...weights, '--samples', 'random:'), 'needs a seed', 'random:1');
      refused(calibrate(...weights, '--samples', 'random:1', '--bits', '99'), '--bits is "99"', 'from 4 to 24');
      refused(calibrate(...weights, '--samples', 'random:1', '--headroom', '0.5'), '--headroom is "0.5"', 'from 1 to');
      place.write('none.json', JSON.stringify({ tokens: [[]] }));
      refused(calibrate(...weights, '--samples', 'none.json'), /"tokens"\[0\] has 0 entries/, '--dim');
      refused(
        calibrate('--weights', 'base=gpt2', '--weights', 'adapter=style', '--samples', 'random:1'),
        'no tensor "model',
        'written for',
      );
      place.write('broken.zkl', 'model m { public y = x }');
      refused(place.zkl(['calibrate', 'broken.zkl', '--samples', 'random:1']), 'broken.zkl has errors', 'ZKL201');
      place.write('tight.zkl', 'model m {\n  public x[2]: fixed<16, 8>\n  public y[i] = round<4, 8>(x[i] * 3)\n}\n');
      refused(
        place.zkl(['calibrate', 'tight.zkl', '--samples', 'random:1']),
        /y reaches [\d.]+, which needs \d+ bits with 8 after the point; tight.zkl writes fixed<4, 8>/,
        /write fixed<\d+, 8>/,
      );
      expect(['x.json', 'tight.calibration.json'].map((f) => existsSync(place.file(f)))).toEqual([false, false]);
    });

    test('compare', () => {
      const options = [...weights, '--samples', 'samples.json'];
      place.ok('calibrate', 'm.zkl', ...options, '-o', 'good.json');
      place.write('bad.json', '{"values": {"x": 3}}');
      refused(place.zkl(['compare', 'm.zkl', ...options, '--calibration', 'bad.json']), '"x" is "3"', 'fixed<16, 12>');
      place.write('empty.json', '{}');
      refused(
        place.zkl(['compare', 'm.zkl', ...options, '--calibration', 'empty.json']),
        'm.zkl is not calibrated: there is no scale for "x"',
        'zkl calibrate m.zkl',
      );
      const tight = place
        .read('good.json')
        .toString()
        .replace(/"model.layers.1\/a": "fixed<(\d+), \d+>"/, '"model.layers.1/a": "fixed<$1, 15>"');
      place.write('tight.json', tight);
      const tightly = ['compare', 'm.zkl', ...options, '--calibration', 'tight.json'];
      expect(place.ok(...tightly).stdout).toMatch(
        /3 samples with an overflow\n {2}sample 1: l\[1\]\/a\[\d+, \d+\] = -?[\d.]+ needs \d+ bits with 15 after the point, fixed<\d+, 15> has \d+; calibration gave that under "model.layers.1\/a"\n[^]*calibrate with samples like these, or with more headroom: zkl calibrate m.zkl\n/,
      );
      const judged = place.zkl([...tightly, '--at-least', '99']);
      expect([judged.status, judged.stderr]).toEqual([1, expect.stringContaining('below --at-least 99')]);
      refused(place.zkl([...tightly, '--at-least', '101']), '--at-least is "101"', 'percent');
      refused(
        place.zkl(['compare', 'm.zkl', ...options, '--calibration', 'good.json', '--logits', 'y2']),
        'no tensor "y2"',
        'name the tensor of scores',
      );
      place.write('reference.json', '{"logits": [[1]]}');
      refused(
        place.zkl(['compare', 'm.zkl', ...options, '--calibration', 'good.json', '--reference', 'reference.json']),
        '"logits" has 1 entries',
        'cut it',
      );
    });
  });
});
