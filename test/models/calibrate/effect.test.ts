/** Bits go to what changes the scores: measured, not guessed from magnitudes. */
import { describe, expect, test } from 'vitest';
import type { TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { calibrate, isReached } from '../../../models/calibrate/calibrate.ts';
import { divergence, groupsOf, measureEffects, pricesOf } from '../../../models/calibrate/effect.ts';
import { createObserver } from '../../../models/calibrate/observe.ts';
import { chooseScales, moreBits, needsOf, type Valued } from '../../../models/calibrate/scales.ts';
import { evaluateReal, type Numbers, type RealOptions } from '../../../runtime/evaluate/index.ts';
import { checkText } from '../../compiler/standard.ts';

/** A stream in which the first position is a thousand times the others, read by a norm, as in LLaMA-like models. */
const STREAM = `import { rmsnorm, linear } from "std"
  model m at "net" {
    dim T = 4, D = 16, L = 2
    const eps = 0.00001
    public e[T, D]: fixed<20, 8>
    x = round(e * 1)
    repeat l: L at "layers.{l}" {
      h = rmsnorm(x, eps) at "norm"
      x' = round(x + linear<D>(h) at "mix")
    }
    y = rmsnorm(x, eps) at "last"
    public logits[t, v: D] = 4 * y[t, v]
  }`;

const program = (): TensorProgram => {
  const { programs, all } = checkText(STREAM, { provisional: true });
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  return programs[0];
};

const noise = (k: number): number => Math.sin(12.9898 * k) * 0.9;

function inputsOf({ tensors }: TensorProgram, seed: number): Map<number, Numbers> {
  return new Map(
    tensors.flatMap(({ id, name, shape, role }) => {
      if (role !== 'input') return [];
      const values = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, k) =>
        noise(k + seed + 100 * id),
      );
      if (name === 'e') for (let k = 0; k < 16; k++) values[k] *= 1000;
      return [[id, values] as const];
    }),
  );
}

describe('effects of rounding', () => {
  const own = program();
  const { observations, observe } = createObserver(own);
  evaluateReal(own, inputsOf(own, 1), { each: observe });
  const groups = groupsOf(observations);
  const logits = own.tensors.find((t) => t.name === 'logits')!;
  const scores = { id: logits.id, shape: [4, 16] as const };
  const { types } = chooseScales(own, observations, { headroom: 2 });
  const run = { run: (options: RealOptions) => Promise.resolve(evaluateReal(own, inputsOf(own, 1), options)) };

  test('are measured for a value in all iterations at once', () => {
    expect([...groups.keys()].sort()).toEqual(['l/h', 'l/h/s', 'x', 'y', 'y/s']);
    expect(groups.get('x')?.length).toBe(3);
    expect(groups.get('l/h')?.length).toBe(2);
  });

  test('are measured together of cotangents that iterations hand on', () => {
    const keys = new Map(['x.grad', "l[0]/x'.grad", "l[1]/x'.grad"].map((name) => [`${name}!`, { name, most: 1 }]));
    expect([...groupsOf({ keys }).keys()]).toEqual(['x.grad']);
  });

  test('iterations get one width, however small their values are', () => {
    const keys = new Map([...observations.keys].map(([key, seen], k) => [key, { ...seen, most: 1e-3 / 8 ** k }]));
    const needs = new Map([...keys.keys()].map((key) => [key, { more: 4, isSpare: false }]));
    const { types: small } = chooseScales(own, { ...observations, keys }, { headroom: 2, needs });
    for (const list of groups.values()) expect(new Set(list.map((key) => small.get(key)?.bits)).size).toBe(1);
  });

  test('find what is coarse beside its rows, and shrink by 4 a bit', async () => {
    const told: string[] = [];
    const effects = await measureEffects(own, [run], groups, types, scores, (_, what) => told.push(what));
    expect(told).toEqual(['without roundings', ...groups.keys()]);
    expect(effects.get('x')).toBeGreaterThan(100 * (effects.get('l/h') ?? Infinity));
    const finer = new Map(
      [...types].map(([key, { bits, frac }]) => [key, { bits: bits + 2, frac: frac + 2 }] as const),
    );
    const less = await measureEffects(own, [run], groups, finer, scores, () => undefined);
    const ratio = (effects.get('x') ?? 0) / (less.get('x') ?? 1);
    expect(ratio).toBeGreaterThan(4);
    expect(ratio).toBeLessThan(64);
  });

  test('of a program without scores are errors of its outputs', async () => {
    const effects = await measureEffects(own, [run], groups, types, undefined, () => undefined);
    expect(effects.get('x')).toBeGreaterThan(0);
    expect(effects.get('x')).toBeLessThan(1);
  });

  test('divergence is that of the definition', () => {
    const [a, b] = [Float64Array.of(0, Math.log(3), 1, 1), Float64Array.of(Math.log(1), Math.log(1), 5, 5)];
    const expected = 0.25 * Math.log(0.25 / 0.5) + 0.75 * Math.log(0.75 / 0.5);
    expect(divergence(a, b, 2)).toBeCloseTo(expected / 2, 12);
    expect(divergence(a, a, 2)).toBe(0);
  });

  test('prices are parts of all lookups', () => {
    const prices = pricesOf(own, groups);
    const total = [...prices.values()].reduce((n, p) => n + p, 0);
    expect(total).toBeGreaterThan(0.3);
    expect(total).toBeLessThanOrEqual(0.51);
    expect(prices.get('l/h/s')).toBeLessThan((prices.get('l/h') ?? 0) / 15);
  });

  test('calibration gives the stream more bits, all iterations one width, and reaches its target', async () => {
    const sample = (seed: number) => ({ inputs: new Map([['e', inputsOf(own, seed).get(0) ?? new Float64Array()]]) });
    const weights = new Map(
      own.tensors.flatMap(({ id, file }) =>
        (file?.names ?? []).map((name, k) => {
          const size = 16 ** (name.endsWith('norm.weight') || name.endsWith('last.weight') ? 1 : 2);
          return [
            name,
            {
              shape: size === 16 ? [16] : [16, 16],
              values: Float64Array.from({ length: size }, (_, i) => 0.5 + noise(i + k + 100 * id) / 2),
            },
          ] as const;
        }),
      ),
    );
    const input = { text: STREAM, weights: [{ weights }], samples: [1, 2, 3].map(sample) };
    const found = await calibrate(input);
    const widths = new Set(groups.get('x')?.map((key) => found.values.get(key)?.bits));
    expect(widths.size).toBe(1);
    expect([...widths][0]).toBeGreaterThan(16);
    expect(found.measured).toMatchObject({ samples: 1, positions: 4, overflows: 0, clearAgreement: 1 });
    const forced = await calibrate({ ...input, bits: 12 });
    expect([...forced.values.values()].every(({ bits }) => bits === 12)).toBe(true);
    expect(forced.effects.size).toBe(0);
  });
});

describe('needs', () => {
  const value = (key: string, effect: number, price: number): Valued => ({ keys: [key], effect, price });

  test('what changes much gets bits whatever it costs, what is free gets them, the rest stays', () => {
    const needs = needsOf([value('stream', 0.2, 0.3), value('root', 9e-6, 0.0001), value('rest', 4e-5, 0.3)]);
    expect(needs.get('stream')?.more).toBeGreaterThan(5);
    expect(needs.get('root')?.more).toBeGreaterThan(0);
    expect(needs.get('rest')).toEqual({ more: 0, isSpare: false });
  });

  test('what changes next to nothing has headroom to spare, together no more than there is', () => {
    const small = Array.from({ length: 4 }, (_, k) => value(`v${k}`, 6e-7, 0.3));
    const spare = [...needsOf(small).values()].filter((n) => n.isSpare);
    expect(spare).toHaveLength(2);
    expect(needsOf([value('none', 0, 0.3)]).get('none')).toMatchObject({ isSpare: true });
  });

  test('a stricter search asks for finer steps', () => {
    const values = [value('stream', 0.2, 0.3), value('rest', 4e-5, 0.3)];
    const [loose, strict] = [needsOf(values), needsOf(values, 1)];
    expect(strict.get('stream')?.more).toBe((loose.get('stream')?.more ?? 0) + 1);
    expect(strict.get('rest')?.more).toBeGreaterThan(0);
  });

  test('what more bits would buy is told of what has none, the best bargain first', () => {
    const values = [
      value('stream', 0.2, 0.3),
      value('dear', 2e-5, 0.3),
      value('bargain', 1e-5, 0.1),
      value('none', 0, 0),
    ];
    expect(moreBits(values, needsOf(values)).map(({ keys }) => keys[0])).toEqual(['bargain', 'dear']);
  });
});

describe('a target', () => {
  const target = { agreement: 0.99, loss: 0.005 };
  const measured = {
    samples: 2,
    positions: 400,
    overflows: 0,
    ties: 0,
    clearAgreement: 0.99,
    crossEntropy: 2.009,
    floatCrossEntropy: 2,
  };

  test('is missed by tokens, by loss and by overflow', () => {
    expect(isReached(measured, target)).toBe(true);
    expect(isReached({ ...measured, clearAgreement: 0.985 }, target)).toBe(false);
    expect(isReached({ ...measured, crossEntropy: 1.98 }, target)).toBe(false);
    expect(isReached({ ...measured, overflows: 1 }, target)).toBe(false);
  });

  test('one miss among few positions is allowed, unless all are asked for', () => {
    expect(isReached({ ...measured, positions: 20, clearAgreement: 0.95 }, target)).toBe(true);
    expect(isReached({ ...measured, positions: 20, clearAgreement: 0.9 }, target)).toBe(false);
    expect(isReached({ ...measured, positions: 20, clearAgreement: 0.95 }, { ...target, agreement: 1 })).toBe(false);
  });
});
