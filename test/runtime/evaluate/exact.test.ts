/** The fast evaluator gives the integers of the reference interpreter, and refuses what it refuses. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret, ValueError } from '../../../compiler/interpret/index.ts';
import type { IntTensor } from '../../../compiler/interpret/index.ts';
import type { TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { evaluateExactly, EvaluationError, isWide } from '../../../runtime/evaluate/index.ts';
import type { Values } from '../../../runtime/evaluate/index.ts';
import { allocateComputed, fromBigints } from '../../../runtime/integers/arrays.ts';
import { programs } from '../../compiler/generate.ts';
import { cases } from '../../golden/golden.ts';
import { calibrateAll, checkText } from '../../compiler/standard.ts';
import { integers } from '../../stdlib/run.ts';

type Inputs = Map<number, IntTensor>;

/** In doubles where those are exact. */
const exactly = (values: readonly bigint[]): Values =>
  values.every((v) => v <= 2n ** 53n && v >= -(2n ** 53n)) ? Float64Array.from(values, Number) : values;

const fast = (program: TensorProgram, inputs: Inputs): Map<number, Values> =>
  evaluateExactly(program, new Map([...inputs].map(([id, { values }]) => [id, exactly(values)])));

const bigints = (values: Values | undefined): bigint[] =>
  values === undefined ? [] : isWide(values) ? [...values] : Array.from(values, BigInt);

/** Both evaluators, compared tensor by tensor; the fast one's result. */
function compare(program: TensorProgram, inputs: Inputs): Map<number, Values> {
  const [slow, quick] = [interpret(program, inputs), fast(program, inputs)];
  for (const { id, name, range, role } of program.tensors) {
    expect(bigints(quick.get(id)), name).toEqual(slow.get(id)?.values);
    if (role !== 'input') expect(quick.get(id)?.constructor, name).toBe(allocateComputed(range, 0).constructor);
  }
  return quick;
}

function inputsOf(program: TensorProgram, draw: (name: string, size: number) => readonly bigint[]): Inputs {
  const inputs: Inputs = new Map();
  for (const { id, name, shape, role, type } of program.tensors) {
    if (role !== 'input') continue;
    const size = shape.reduce((n, length) => n * length, 1);
    const values = draw(name, size);
    const length = type?.kind === 'index' ? BigInt(type.size) : undefined;
    inputs.set(id, { shape, values: values.map((v) => (length === undefined ? v : ((v % length) + length) % length)) });
  }
  return inputs;
}

function programOf(text: string, type = { bits: 30, frac: 10 }): TensorProgram {
  const { programs: made, all } = calibrateAll(text, type);
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  return made[0];
}

describe('random programs', () => {
  test('have the integers of the reference interpreter', () => {
    fc.assert(
      fc.property(programs, ({ text, inputs }) => {
        const { programs: made, all } = checkText(text);
        fc.pre(all.every((d) => d.severity !== 'error'));
        const given: Inputs = new Map();
        for (const { input, tensor } of inputs) {
          const id = made[0].tensors.find((t) => t.name === input.name)?.id;
          if (id !== undefined) given.set(id, tensor);
        }
        compare(made[0], given);
      }),
      { numRuns: 300 },
    );
  });
});

describe('programs of the golden tests', () => {
  /** Of a type, both ends often among them. */
  const inside = (program: TensorProgram, seed: number, wide: boolean): Inputs => {
    const draw = integers(seed, 32);
    const inputs: Inputs = new Map();
    for (const { id, name, shape, role, range } of program.tensors) {
      if (role !== 'input') continue;
      const size = shape.reduce((n, length) => n * length, 1);
      // Narrow draws keep roundings inside their types.
      const span = wide ? range.hi - range.lo + 1n : 1n + (range.hi - range.lo) / 64n;
      const middle = wide || range.lo === 0n ? range.lo : -span / 2n;
      const values = draw(name, size).map((v) => middle + (((v % span) + span) % span));
      inputs.set(id, { shape, values });
    }
    return inputs;
  };

  test.each(cases('compiler/programs').filter(({ name }) => !name.includes('module')))('$name', ({ source }) => {
    const calibration = /^\/\/ calibration: fixed<(\d+), (\d+)>$/m.exec(source);
    const type = { bits: Number(calibration?.[1] ?? 16), frac: Number(calibration?.[2] ?? 8) };
    for (const program of calibrateAll(source, type).programs)
      for (const seed of [1, 2, 3, 4, 5, 6]) {
        const inputs = inside(program, seed, seed % 2 === 0);
        const [slow, quick] = [outcome(() => interpret(program, inputs)), outcome(() => fast(program, inputs))];
        expect(quick.error).toEqual(slow.error);
        if (slow.error === undefined) compare(program, inputs);
      }
  });

  const outcome = (run: () => unknown): { error: string | undefined } => {
    try {
      run();
      return { error: undefined };
    } catch (error) {
      if (error instanceof EvaluationError) return { error: `${error.tensor} ${error.index.join()} ${error.value}` };
      if (!(error instanceof ValueError) || error.index === undefined) throw error;
      return { error: `${error.tensor} ${error.index.join()} ${error.value}` };
    }
  };
});

describe('decoder blocks', () => {
  const llama = `import { embedding, rmsnorm, linear, lora, rotary_attention, swiglu, head } from "std"
    model llama {
      dim T = 5, V = 11, D = 8, F = 12, H = 4, G = 2, L = 2, R = 3, K = D / H
      const eps = 1e-5, base = 10000, alpha = 8
      secret tokens[T]: index<V>
      open E[V, D] from base "embed"
      x = round(embedding(E, tokens))
      repeat l: L at "layers.{l}" {
        h  = rmsnorm(x, eps) at "norm"
        q  = round(linear<H * K>(h) + lora<H * K, R>(h, alpha)) at "q"
        k  = round(linear<G * K>(h)) at "k"
        v  = round(linear<G * K>(h)) at "v"
        o  = rotary_attention(q as [1, T, H, K], k as [1, T, G, K], v as [1, T, G, K], base)
        a  = round(x + linear<D>(o) at "o")
        n  = rmsnorm(a, eps) at "norm2"
        x' = round(a + swiglu<F>(n) at "mlp")
      }
      y = rmsnorm(x, eps) at "final"
      public logits = head(y, E)
      public next = argmax(v) logits[T - 1, v]
    }`;
  const gpt2 = `import { layernorm, conv1d, fused_attention, mlp } from "std"
    model gpt2 {
      dim T = 4, V = 9, D = 6, F = 10, H = 2, K = D / H
      secret tokens[T]: index<V>
      open E[V, D] from base "wte"
      open P[7, D] from base "wpe"
      x[t: T, d] = round(E[tokens[t], d] + P[t, d])
      h = layernorm(x, 1e-5) at "ln_1"
      c = round(conv1d<3 * D>(h)) at "c_attn"
      o = fused_attention<H, K>(c as [1, T, 3 * D])
      a = round(x + conv1d<D>(o) at "c_proj")
      n = layernorm(a, 1e-5) at "ln_2"
      z = round(a + mlp<F>(n) at "mlp")
      public logits[t, v] = sum(d) z[t, d] * E[v, d]
    }`;

  test.each([
    ['llama', llama, 12],
    ['gpt2', gpt2, 9],
  ])('%s', (_, text, bits) => {
    const program = programOf(text);
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        compare(program, inputsOf(program, integers(seed, bits)));
      }),
      { numRuns: 6 },
    );
  });

  test('only what is kept is returned', () => {
    const program = programOf(llama);
    const inputs = inputsOf(program, integers(5, 12));
    const given = new Map([...inputs].map(([id, { values }]) => [id, exactly(values)]));
    const all = evaluateExactly(program, given);
    const kept = evaluateExactly(program, given, { keep: (tensor) => tensor.role === 'output' });
    const outputs = program.tensors.filter((t) => t.role === 'output').map((t) => t.id);
    expect([...kept.keys()].sort()).toEqual(outputs.sort());
    for (const id of outputs) expect(kept.get(id)).toEqual(all.get(id));
  });
});

describe('integers at the edge of doubles', () => {
  /** Integers of up to `bits` bits, among them both ends. */
  const extreme = (bits: number, seed: number): ((name: string, size: number) => bigint[]) => {
    const [lo, hi] = [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n];
    const draw = integers(seed, 32);
    return (name, size) =>
      draw(name, size).map((v) => (v % 3n === 0n ? hi : v % 3n === 1n ? lo : (v * v * v) % (hi + 1n)));
  };

  test.each([
    ['sums of products', 'public y[t] = sum(i) a[t, i] * b[i]'],
    ['sums of three factors', 'public y[t] = sum(i) a[t, i] * b[i] * a[0, i]'],
    ['powers', 'public y[t, i] = a[t, i] ^ 2 - 3 * a[t, i] * b[i] + 7'],
    ['rounded products', 'public y[t, i] = round<64, -60>(a[t, i] * b[i] / 3)'],
    ['rounded sums', 'public y[t] = round<64, -60>(5 / 7 * sum(i) a[t, i] * b[i])'],
    ['quotients', 'public y[t, i] = round<64, 2>(a[t, i] / (1 + b[i] ^ 2))'],
    ['roots', 'public y[t, i] = round<64, 2>(a[t, i] / sqrt(1 + b[i] ^ 2))'],
    ['maxima', 'public y[t] = max(i) a[t, i] * b[i]\npublic z[t] = argmax(i if i != t) a[t, i] * b[i]'],
    ['guarded sums', 'public y[t] = sum(i if i >= t) a[t, i - t] * b[i]'],
  ])('%s', (_, lines) => {
    for (const bits of [2, 16, 26, 27, 28, 31, 40, 53, 54, 55, 63, 64]) {
      const program = programOf(`model m {
        secret a[3, 5]: fixed<${bits}, 4>
        secret b[5]: fixed<${bits}, 4>
        ${lines}
      }`);
      for (const seed of [1, 2, 3]) compare(program, inputsOf(program, extreme(bits, seed)));
    }
  });
});

test('inputs may be given as their range is held', () => {
  const program = programOf('model m {\nsecret x[3]: fixed<60, 4>\npublic y[i] = 3 * x[i] - x[0]\n}');
  const [x] = program.tensors;
  for (const values of [
    [5n, -7n, 2n ** 52n],
    [5n, -(2n ** 59n), 2n ** 59n - 1n],
  ]) {
    const slow = interpret(program, new Map([[0, { shape: [3], values }]]));
    const quick = evaluateExactly(program, new Map([[0, fromBigints(x.range, values) as BigInt64Array]]));
    for (const { id, name } of program.tensors) expect(bigints(quick.get(id)), name).toEqual(slow.get(id)?.values);
  }
});

describe('what has no meaning', () => {
  const cases: [string, string][] = [
    ['a rounded value that overflows', 'public y[t] = round<4, 0>(2 * x[t])'],
    ['a divisor that is not positive', 'public y[t] = round<16, 4>(1 / x[t])'],
    ['the root of a negative number', 'public y[t] = round<16, 4>(sqrt(x[t]))'],
    ['a quotient that overflows before a divisor that is 0', 'public y[t] = round<6, 4>(1 / x[t])'],
    ['an argument without a table value', 'public y = low(x)'],
  ];
  const message = (run: () => unknown): { tensor: string; index: readonly number[]; value: bigint } | undefined => {
    try {
      run();
      return undefined;
    } catch (error) {
      if (error instanceof EvaluationError) return { tensor: error.tensor, index: error.index, value: error.value };
      if (!(error instanceof ValueError) || error.index === undefined) throw error;
      return { tensor: error.tensor!, index: error.index, value: BigInt(error.value!) };
    }
  };

  test.each(cases)('%s', (_, line) => {
    const items = 'table low(x: fixed<6, 0> in [-8, 2]) -> fixed<6, 0> = x';
    const { programs: made } = checkText(`${items}\nmodel m {\nsecret x[4]: fixed<6, 0>\n${line}\n}`);
    const [program] = made;
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -32n, max: 31n }), { minLength: 4, maxLength: 4 }), (values) => {
        const inputs: Inputs = new Map([[0, { shape: [4], values }]]);
        const [slow, quick] = [message(() => interpret(program, inputs)), message(() => fast(program, inputs))];
        expect(quick).toEqual(slow);
        if (quick !== undefined) refused++;
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  test('inputs outside their type, missing, or of another size', () => {
    const program = programOf('model m {\nsecret x[2, 2]: fixed<4, 1>\npublic y[i, j] = x[i, j]\n}');
    expect(() => fast(program, new Map())).toThrow('x: no values given');
    expect(() => fast(program, new Map([[0, { shape: [3], values: [1n, 2n, 3n] }]]))).toThrow('x has 3 entries');
    expect(() => fast(program, new Map([[0, { shape: [2, 2], values: [1n, 2n, 8n, 1n] }]]))).toThrow(
      'x[1, 0] = 4 needs 5 bits with 1 after the point, fixed<4, 1> has 4',
    );
  });

  test('a calibrated tensor names its key', () => {
    const program = programOf('model m at "net" {\nsecret x[2]: fixed<8, 0>\na = round(x)\npublic y[i] = a[i]\n}', {
      bits: 6,
      frac: 2,
    });
    expect(() => fast(program, new Map([[0, { shape: [2], values: [1n, -100n] }]]))).toThrow(
      'a[1] = -100 needs 10 bits with 2 after the point, fixed<6, 2> has 6; calibration gave that under "net/a"',
    );
  });
});
