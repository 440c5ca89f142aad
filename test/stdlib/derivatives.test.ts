/** Derivatives of the library's blocks, in float64 without roundings, against central differences of what they derive. */
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Frame } from '../../compiler/check/context.ts';
import { Files } from '../../compiler/check/names/files.ts';
import { Scope } from '../../compiler/check/names/scope.ts';
import { differentiable } from '../../compiler/check/names/syntax.ts';
import { Reporter } from '../../compiler/check/report.ts';
import { cotangentsOf, readDerivative } from '../../compiler/check/statements/derivatives.ts';
import { newSession } from '../../compiler/check/statements/session.ts';
import type { Tensor, TensorId } from '../../compiler/ir/tensor/program.ts';
import { parse } from '../../grammar/index.ts';
import { evaluateReal } from '../../runtime/evaluate/index.ts';
import { resolveImport } from '../compiler/standard.ts';
import { shapes, type Shape } from './blocks.ts';

/** A model that calls the block once. */
const CALLS: Readonly<Record<string, (shape: Shape) => string>> = {
  causal_softmax: ({ N, T, H }) => `secret z[${N}, ${H}, ${T}, ${T}]: fixed<16, 8>\ny = causal_softmax(z)`,
  attend: ({ N, T, H, G, R }) =>
    `secret z[${N}, ${H}, ${T}, ${T}]: fixed<16, 8>\nsecret v[${N}, ${T}, ${G}, ${R}]: fixed<16, 8>\ny = attend(z, v)`,
  ...Object.fromEntries(
    ['rmsnorm', 'layernorm', 'centred_rmsnorm'].map((name) => [
      name,
      ({ T, D }: Shape) => `secret x[${T}, ${D}]: fixed<16, 8>\ny = ${name}(x, 0.5)`,
    ]),
  ),
  cross_entropy: ({ T, V }) =>
    `secret z[${T}, ${V}]: fixed<16, 8>\nsecret target[${T}]: index<${V}>\ny = cross_entropy(z, target)`,
  masked_cross_entropy: ({ T, V }) =>
    `secret z[${T}, ${V}]: fixed<16, 8>\nsecret target[${T}]: index<${V}>\nsecret mask[${T}]: index<2>
    y = masked_cross_entropy(z, target, mask)`,
};

interface Derived {
  readonly program: Parameters<typeof evaluateReal>[0];
  readonly inputs: readonly Tensor[];
  readonly result: TensorId;
  readonly cotangent: TensorId;
  /** What is differentiated by, and its cotangent. */
  readonly pairs: readonly (readonly [TensorId, TensorId])[];
}

/** The equations of the only model and of the derivative of the block that it calls. */
function derive(name: string, statements: string): Derived {
  const { program } = parse(`import { ${name} } from "std"\nmodel derived {\n${statements}\n}`, 'case.zkl');
  const reporter = new Reporter();
  const { scope } = new Files(reporter, resolveImport).main(program, 'case.zkl');
  const session = newSession(reporter, {}, () => undefined);
  const place = { path: [], at: [], keys: [], place: 'model', declared: new Map() } as const;
  const frame: Frame = { ...place, scope: new Scope(scope) };
  const [model] = program.items;
  session.walk(frame, model.kind === 'model' ? model.body : []);
  const call = session.calls.find(({ block }) => block.name.text === name)!;
  const derivative = call.block.derivative!;
  const [cotangent] = cotangentsOf(session, call, derivative);
  const gradients = readDerivative(session, call, derivative, [cotangent]);
  expect(reporter.diagnostics).toEqual([]);
  const tensors = session.tensors.map((t) => (t.id === cotangent ? { ...t, role: 'input' as const } : t));
  return {
    program: { tensors, equations: session.equations, tables: session.tables },
    inputs: tensors.filter((t) => t.role === 'input'),
    result: call.results[0],
    cotangent,
    pairs: differentiable(call.block).map((param, k) => [call.arguments.get(param)!, gradients[k]]),
  };
}

/** Numbers between -1 and 1 that look drawn. */
const drawn = (n: number): number[] => Array.from({ length: n }, (_, k) => Math.sin(17 * k * k + k));

const draws = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 400, maxLength: 400 });

/** Four heads in two groups tell every order of heads apart. */
const example: Shape = { N: 2, T: 3, D: 4, O: 1, R: 2, H: 4, G: 2, V: 5 };

test.each(Object.keys(CALLS))('%s', (name) => {
  fc.assert(
    fc.property(shapes, draws, (shape, numbers) => {
      const { program, inputs, result, cotangent, pairs } = derive(name, CALLS[name](shape));
      let next = 0;
      const draw = ({ type }: Tensor): number => {
        const x = numbers[next++ % numbers.length];
        return type?.kind === 'index' ? Math.floor(((x + 1) / 2.000001) * type.size) : x;
      };
      const values = new Map(
        inputs.map((t) => [t.id, Float64Array.from({ length: t.shape.reduce((n, d) => n * d, 1) }, () => draw(t))]),
      );
      const found = evaluateReal(program, values);
      /** The results of the block, weighted by their cotangents. */
      const weighted = (id: TensorId, entry: number, change: number): number => {
        const moved = values.get(id)!.map((x, k) => (k === entry ? x + change : x));
        const y = evaluateReal(program, new Map([...values, [id, moved]])).get(result)!;
        return values.get(cotangent)!.reduce((sum, c, k) => sum + c * y[k], 0);
      };
      for (const [of, gradient] of pairs) {
        const [actual, before] = [found.get(gradient)!, values.get(of)!];
        expect(actual.length).toBe(before.length);
        const step = Math.ceil(before.length / 12);
        for (let k = 0; k < before.length; k += step) {
          const difference = (weighted(of, k, 1e-4) - weighted(of, k, -1e-4)) / 2e-4;
          expect(Math.abs(actual[k] - difference)).toBeLessThan(1e-6);
        }
      }
    }),
    // Shrinking takes minutes and says no more.
    { numRuns: 10, endOnFailure: true, examples: [[example, drawn(400)]] },
  );
});

test('without a row to count, loss and gradient are 0', () => {
  const { program, inputs, result, cotangent, pairs } = derive(
    'masked_cross_entropy',
    CALLS['masked_cross_entropy'](example),
  );
  const size = ({ shape }: Tensor): number => shape.reduce((n, d) => n * d, 1);
  const counted = (mask: number): ReturnType<typeof evaluateReal> => {
    const given = (t: Tensor): Float64Array => {
      if (t.name === 'mask') return new Float64Array(size(t)).fill(mask);
      if (t.id === cotangent) return new Float64Array([1]);
      return t.type?.kind === 'index' ? new Float64Array(size(t)) : Float64Array.from(drawn(size(t)));
    };
    return evaluateReal(program, new Map(inputs.map((t) => [t.id, given(t)])));
  };
  const [[, gradient]] = pairs;
  const [none, all] = [counted(0), counted(1)];
  expect([...none.get(result)!]).toEqual([0]);
  expect([...none.get(gradient)!].every((x) => x === 0)).toBe(true);
  expect([...all.get(gradient)!].some((x) => x !== 0)).toBe(true);
});

test.each([
  [128, 0],
  [129, 1],
])('attention over %i positions takes %i more exact reciprocals for its gradient', (T, more) => {
  const { program } = derive('attend', CALLS['attend']({ ...example, N: 1, T, H: 1, G: 1, R: 1 }));
  const precise = program.equations.filter(({ definition: d }) => d.kind === 'round' && d.frac === 24);
  expect(precise.length).toBe(more);
});

test('every derivative of the library is tried', () => {
  const files = readdirSync(new URL('../../stdlib/', import.meta.url)).map((file) => file.replace('.zkl', ''));
  const derived = files.flatMap((file) => {
    const { text = '', source = '' } = resolveImport(file === 'std' ? file : `std/${file}`) ?? {};
    return parse(text, source).program.items.filter((item) => item.kind === 'block' && item.derivative !== undefined);
  });
  expect(derived.map(({ name }) => name.text).sort()).toEqual(Object.keys(CALLS).sort());
});
