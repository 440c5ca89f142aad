/** Optimizers of the library and of one's own: every integer by formulas, schedules, what is said of wrong ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstIntegers } from '../../compiler/check/optimizers/first.ts';
import { adamw, corrections, rounded, roundedRoot, train, type Adam } from './optimizers.ts';
import { checkText } from './standard.ts';

/** A model with two trained weights and an `optimizer(...)`. */
const text = (
  optimizer: string,
  { I = 3, R = 2, K = 12, more = '', over = 'adapter', stacked = false } = {},
): string => `
  ${more === '' ? `import { ${/^\w+/.exec(optimizer)?.[0]} } from "std"` : more}
  model m {
    secret x[${I}]: fixed<16, 8>
    open b[${I}]: fixed<16, 8> from base "b"
    secret A[${R}, ${I}]: fixed<16, 14> from adapter "a"
    secret B[${stacked ? 'l: 2' : '2'}, ${R}]: fixed<16, 14> from adapter "${stacked ? 'b.{l}' : 'b'}"
    train {
      public step: index<${K}>
      public loss = sum(i, r, l) x[i] * A[r, i] * B[l, r] + sum(i) b[i]
      minimize loss over ${over} by ${optimizer}
    }
  }`;

/** An optimizer of one's own. */
const own = (body: string): string => `optimizer own(w, g: fixed<B, F>, step) {\n${body}\n}`;

const FRAC = 12;
const GRADIENT = { bits: 16, frac: FRAC };
const shapes = fc.record({ I: fc.integer({ min: 1, max: 5 }), R: fc.integer({ min: 1, max: 4 }) });
const many = (most: bigint): fc.Arbitrary<bigint[]> =>
  fc.array(fc.bigInt({ min: -most, max: most }), { minLength: 20, maxLength: 20 });
const seeds = fc.record({
  shape: shapes,
  weights: many(20000n),
  gradients: many(32000n),
  step: fc.integer({ min: 0, max: 11 }),
});

/** Inputs that the loss reads and no optimizer does. */
const rest = (I: number): Record<string, bigint[]> => ({ x: Array<bigint>(I).fill(1n), b: Array<bigint>(I).fill(0n) });

/** Masters agree with weights but for their lower bits. */
const masterOf = (w: readonly bigint[]): bigint[] => w.map((v, k) => (v << 14n) + BigInt(37 * k) - 100n);

describe('gradient descent', () => {
  test.each([
    ['constant', '0.05', () => 0.05],
    [
      'linear warm-up',
      'if step < 8 then 0.05 * (step + 1) / 8 else 0.05',
      (k: number) => 0.05 * Math.min(1, (k + 1) / 8),
    ],
    [
      'cosine',
      'round<32, 30>(0.05 * (1 + cos(3.14159265 * step / 12)) / 2)',
      (k: number) => (0.05 * (1 + Math.cos((3.14159265 * k) / 12))) / 2,
    ],
  ])('%s rate', (_, rate, at) => {
    fc.assert(
      fc.property(seeds, ({ shape: { I, R }, weights: all, gradients, step }) => {
        const training = train(text(`sgd(rate = ${rate})`, { I, R }), GRADIENT);
        expect(training.diagnostics).toEqual([]);
        const [a, b] = [all.slice(0, R * I), all.slice(0, 2 * R)];
        const [ga, gb] = [gradients.slice(0, R * I), gradients.slice(0, 2 * R)];
        const out = training.run({
          ...rest(I),
          step: [BigInt(step)],
          'w:a': a,
          'w:b': b,
          'master:a': masterOf(a),
          'master:b': masterOf(b),
          'A.grad': ga,
          'B.grad': gb,
        });
        const r = BigInt(Math.floor(at(step) * 2 ** 30 + 0.5));
        const expected = (w: bigint[], g: bigint[]): bigint[] =>
          masterOf(w).map((master, k) => rounded((master << BigInt(FRAC + 2)) - r * g[k], 1n << BigInt(FRAC + 2)));
        expect(out['master:a']).toEqual(expected(a, ga));
        expect(out['master:b']).toEqual(expected(b, gb));
        expect(out['w:a']).toEqual(expected(a, ga).map((v) => rounded(v, 1n << 14n)));
      }),
      { numRuns: 10 },
    );
  });

  test('equal schedules share one table, and what does not change is no table', () => {
    const tables = (rate: string): number =>
      train(text(`sgd(rate = ${rate})`), GRADIENT).program!.equations.filter((e) => e.definition.kind === 'constant')
        .length;
    expect(tables('0.05')).toBe(0);
    expect(tables('0.05 * (step + 1)')).toBe(1);
    expect(tables('if step < 100 then 0.05 else 0.1')).toBe(0);
  });
});

describe('momentum', () => {
  test.each([['momentum(rate = 0.05, mu = 0.875)'], ['clipped_momentum(rate = 0.05, mu = 0.875, limit = 2)']])(
    '%s',
    (call) => {
      fc.assert(
        fc.property(seeds, ({ shape: { I, R }, weights: all, gradients, step }) => {
          const training = train(text(call, { I, R }), GRADIENT);
          expect(training.diagnostics).toEqual([]);
          const [a, b] = [all.slice(0, R * I), all.slice(0, 2 * R)];
          const [ga, gb] = [gradients.slice(0, R * I), gradients.slice(0, 2 * R)];
          const before = { 'm:a': ga.map((v) => 3n * v), 'm:b': gb.map((v) => -v) };
          const out = training.run({
            ...rest(I),
            ...before,
            step: [BigInt(step)],
            'w:a': a,
            'w:b': b,
            'master:a': masterOf(a),
            'master:b': masterOf(b),
            'A.grad': ga,
            'B.grad': gb,
          });
          const squares = [...ga, ...gb].reduce((sum, v) => sum + v * v, 0n);
          const norm = roundedRoot(squares << BigInt(2 * (20 - FRAC)), 1n);
          const large = norm > 2n << 20n ? norm : 2n << 20n;
          const clip = call.startsWith('clipped') ? rounded(2n << 20n, large, 24) : 1n << 24n;
          // The moment has 12 fraction bits more than the gradient.
          const m = before['m:a'].map((v, k) => rounded(7n * (v << 24n) + 8n * (ga[k] << 12n) * clip, 8n << 24n));
          expect(out['m:a']).toEqual(m);
          const r = BigInt(Math.floor(0.05 * 2 ** 30 + 0.5));
          const unit = BigInt(FRAC + 12 + 2);
          expect(out['master:a']).toEqual(masterOf(a).map((v, k) => rounded((v << unit) - r * m[k], 1n << unit)));
        }),
        { numRuns: 10 },
      );
    },
  );
});

const ADAM = 'rate = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 2 ^ -27, decay = 0.01';
const RATE = BigInt(Math.floor(1e-3 * 2 ** 30 + 0.5));

describe('adamw', () => {
  test.each([
    ['adamw', 12],
    ['adamw', 5000],
    ['clipped_adamw', 12],
  ])('%s, a run of %i steps', (name, K) => {
    const clipped = name.startsWith('clipped');
    const shape = { I: 2, R: 2, K };
    const training = train(text(`${name}(${ADAM}${clipped ? ', limit = 2' : ''})`, shape), GRADIENT);
    expect(training.diagnostics).toEqual([]);
    fc.assert(
      fc.property(seeds, ({ weights: all, gradients, step: drawn }) => {
        const step = drawn === 11 ? K - 1 : drawn;
        const [w, g] = [all.slice(0, 4), gradients.slice(0, 4)];
        const m = gradients.slice(4, 8).map((v) => v << 14n);
        // A root of a second moment that is not below the first: what they come from is one sequence of gradients.
        const s = m.map((v, k) => (v < 0n ? -v : v) + BigInt(k) * 1000n);
        const states = { w, master: masterOf(w), m, s };
        const given = Object.entries(states).flatMap(([state, v]) => [
          [`${state}:a`, v],
          [`${state}:b`, v],
        ]);
        const more: Record<string, bigint[]> = Object.fromEntries(given) as Record<string, bigint[]>;
        const out = training.run({ ...rest(2), ...more, step: [BigInt(step)], 'A.grad': g, 'B.grad': g });
        const norm = roundedRoot((2n * g.reduce((sum, v) => sum + v * v, 0n)) << BigInt(2 * (20 - FRAC)), 1n);
        const large = norm > 2n << 20n ? norm : 2n << 20n;
        const clip = clipped ? rounded(2n << 20n, large, 24) : 1n << 24n;
        for (const k of [0, 1, 2, 3]) {
          const before = { w: w[k], master: masterOf(w)[k], m: m[k], s: s[k] };
          const settings = { frac: FRAC, rate: RATE, decay: 1n, clip };
          const after = adamw(before, g[k], corrections(step + 1), settings);
          for (const state of ['w', 'master', 'm', 's'] as const) expect(out[`${state}:a`][k]).toBe(after[state]);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('5,000 steps of falling gradients move weights as floating point does, within 2 %', () => {
    // Gradients of 16 bits, the largest a quarter of what the type holds, that fall to a 500th; constants for long steps.
    const n = 8;
    const integer: Adam[] = Array.from({ length: n }, (_, k) => ({ w: 0n, master: BigInt(k) << 20n, m: 0n, s: 0n }));
    const float = integer.map(({ master }) => ({ x: Number(master) / 2 ** 28, m: 0, v: 0 }));
    let worst = 0;
    let [from, fromFloat] = [integer.map(({ master }) => Number(master) / 2 ** 28), float.map(({ x }) => x)];
    for (let t = 1; t <= 5000; t++) {
      const [c1, c2] = t <= 400 ? corrections(t) : [65536n, BigInt(Math.round(65536 / Math.sqrt(1 - 0.999 ** t)))];
      for (let k = 0; k < n; k++) {
        const size = 8192 * 500 ** (-t / 5000);
        const g = Math.round(size * (0.6 + 0.4 * Math.sin(t * (0.1 + 0.05 * k) + k)) * (k % 2 === 0 ? 1 : -1));
        integer[k] = adamw(integer[k], BigInt(g), [c1, c2], { frac: FRAC, rate: RATE, decay: 1n });
        const [of, real] = [float[k], g / 2 ** FRAC];
        of.m = 0.9 * of.m + 0.1 * real;
        of.v = 0.999 * of.v + 0.001 * real * real;
        const u = of.m / (1 - 0.9 ** t) / (Math.sqrt(of.v / (1 - 0.999 ** t)) + 2 ** -27);
        of.x -= 1e-3 * (u + 0.01 * of.x);
      }
      if (t % 100 !== 0) continue;
      const [now, nowFloat] = [integer.map(({ master }) => Number(master) / 2 ** 28), float.map(({ x }) => x)];
      for (let k = 0; k < n; k++)
        worst = Math.max(worst, Math.abs((now[k] - from[k]) / (nowFloat[k] - fromFloat[k]) - 1));
      [from, fromFloat] = [now, nowFloat];
    }
    expect(worst).toBeLessThan(0.02);
  });
});

describe('the source `state`', () => {
  const training = train(text(`adamw(${ADAM})`), GRADIENT);

  test('weights are read from it, and left in it with their states', () => {
    const { tensors, outputs = [], stateSources } = training.program!;
    const said = (name: string | undefined, { type, visibility }: (typeof tensors)[number]): string =>
      `${visibility} ${name} ${JSON.stringify(type)}`;
    const read = tensors.filter((t) => t.file?.source === 'state').map((t) => said(t.file?.names.join(), t));
    const left = outputs.flatMap((o) => o.tensors.map(({ name, tensor }) => said(name, tensors[tensor])));
    expect(read.toSorted()).toEqual(left.toSorted());
    expect(read).toHaveLength(8);
    expect(read[0]).toBe('secret w:a {"kind":"fixed","bits":16,"frac":14}');
    expect([outputs.map(({ name }) => name), stateSources]).toEqual([['state'], ['state']]);
    expect(tensors.filter(({ role }) => role === 'output').map(({ name }) => name)[0]).toBe('loss');
  });

  test('before the first step it has the weights, and 0', () => {
    const states = training.step!.states.map(({ name, first, weight }) => [name, first, weight.name]);
    expect(states).toEqual([
      ...['w', 'master'].map((name) => [`${name}:a`, { kind: 'weight' }, 'a']),
      ...['m', 's'].map((name) => [`${name}:a`, { kind: 'number', integer: 0n }, 'a']),
      ...['w', 'master'].map((name) => [`${name}:b`, { kind: 'weight' }, 'b']),
      ...['m', 's'].map((name) => [`${name}:b`, { kind: 'number', integer: 0n }, 'b']),
    ]);
    const [weight, master] = [14, 28].map((frac) => ({ kind: 'fixed', bits: 32, frac }) as const);
    expect(firstIntegers({ kind: 'weight' }, master, [3n, -5n], weight)).toEqual([3n << 14n, -5n << 14n]);
    expect(firstIntegers({ kind: 'weight' }, weight, [-1n << 13n, 1n << 13n, 3n], master)).toEqual([0n, 1n, 0n]);
    expect(firstIntegers({ kind: 'number', integer: 7n }, master, [3n, -5n], weight)).toEqual([7n, 7n]);
  });

  test('types of states stay when those of gradients change', () => {
    const types = (frac: number, calibration = {}): unknown[] =>
      train(text(`adamw(${ADAM})`), { bits: 16, frac }, calibration).step!.states.map(({ type }) => type);
    expect(types(13)).not.toEqual(types(12));
    const kept = { 'adapter:a.state': GRADIENT, 'adapter:b.state': GRADIENT };
    expect(types(13, kept)).toEqual(types(12));
  });

  test('a state that is the new weight is an output of its own', () => {
    const more = own("state old: fixed<16, 14> = w\n w' = round(w - g / 4)\n old' = w'");
    const out = train(text('own()', { more }), GRADIENT).run({
      ...rest(3),
      step: [0n],
      ...Object.fromEntries(
        ['w:a', 'old:a', 'w:b', 'old:b'].map((key) => [key, Array<bigint>(key.endsWith('a') ? 6 : 4).fill(64n)]),
      ),
      'A.grad': Array<bigint>(6).fill(4n),
      'B.grad': Array<bigint>(4).fill(4n),
    });
    expect(out['w:a']).toEqual(Array(6).fill(60n));
    expect(out['old:a']).toEqual(Array(6).fill(60n));
  });
});

describe('what is wrong is said', () => {
  const codes = (optimizer: string, options: Parameters<typeof text>[1] = {}): string[] => {
    const { all } = checkText(text(optimizer, options).replace('public loss', 'public y = x\n public loss'));
    return all.filter(({ severity }) => severity === 'error').map(({ code, label }) => `${code} ${label ?? ''}`);
  };
  test('a sound one', () => {
    expect(codes('sgd(rate = 0.1)').filter((c) => !c.startsWith('ZKL237'))).toEqual([]);
  });

  test.each<[string, string, Parameters<typeof text>[1]?]>([
    ['ZKL527 it is open', 'sgd(rate = 0.1)', { over: 'base' }],
    ['ZKL530 it matches 1 of 2', 'sgd(rate = 0.1)', { over: 'adapter "b.0"', stacked: true }],
    ['ZKL531 it leaves a step under one name', 'sgd(rate = 0.1)', { stacked: true }],
    ['ZKL401 constants are exact', 'sgd(rate = sqrt(2 + step))'],
    ['ZKL402 it needs 33 bits', 'sgd(rate = 2)'],
  ])('%s', (expected, optimizer, options) => {
    expect(codes(optimizer, options)).toContain(expected);
  });

  test.each([
    ['ZKL528 a state that no step changes is a constant', "state m: fixed<16, 8> = 0\n w' = round(w - m * g)"],
    ['ZKL528 an optimizer says what the weight is after the step', 'v = w - g'],
    [
      'ZKL529 `fixed<16, 15>` does not hold every `fixed<16, 14>`',
      "state m: fixed<16, 15> = w\n m' = round(m)\n w' = round(w)",
    ],
    ['ZKL529 `g` is a tensor', "state m: fixed<16, 8> = g\n m' = round(m)\n w' = round(w)"],
    ['ZKL402 300 needs 18 bits', "state m: fixed<16, 8> = 300\n m' = round(m)\n w' = round(w)"],
    [
      'ZKL422 it differs from step to step: write `round<bits, frac>(...)`',
      "public r = 1 / step\n w' = round(w - r * g)",
    ],
  ])('%s', (expected, body) => {
    const { diagnostics } = train(text('own()', { more: own(body) }), GRADIENT);
    expect(diagnostics.map(({ code, label }) => `${code} ${label ?? ''}`)).toContain(expected);
  });

  test('what only a later step shows', () => {
    const { diagnostics } = train(text('sgd(rate = 1.9 + step / 10)'), GRADIENT);
    expect(diagnostics.map(({ code }) => code)).toEqual(['ZKL402']);
  });
});
