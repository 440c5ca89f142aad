/** The standard library computes what its names say: against floating point, within what its roundings allow. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check, standardFile } from '../../compiler/check/index.ts';
import { dequantise, interpret, quantise } from '../../compiler/interpret/index.ts';
import { parse } from '../../grammar/index.ts';
import { calibrateAll, resolveImport } from './standard.ts';

type Matrix = number[][];

/** Numbers in (-1, 1), the same every time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const matrix = (rows: number, columns: number, next: () => number): Matrix =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, next));

const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const transpose = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));
const map2 = (a: Matrix, f: (x: number, i: number, j: number) => number): Matrix =>
  a.map((row, i) => row.map((x, j) => f(x, i, j)));

/** Runs a program whose only output is `y`, on float inputs by tensor name; the values of `y`. */
function run(text: string, inputs: Record<string, number[]>, frac = 11): Float64Array {
  const { programs, all } = calibrateAll(text, { bits: 16, frac });
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  const [program] = programs;
  const given = new Map(
    program.tensors.flatMap((tensor) => {
      if (tensor.role !== 'input' || tensor.type === undefined) return [];
      return [[tensor.id, quantise(tensor.name, tensor.shape, inputs[tensor.name] ?? [], tensor.type)] as const];
    }),
  );
  const result = program.tensors.find((tensor) => tensor.name === 'y');
  const values = result && interpret(program, given).get(result.id);
  if (result === undefined || values === undefined) throw new Error('no y');
  return dequantise(values, result.scale);
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const worst = Math.max(...expected.map((value, k) => Math.abs(value - actual[k])));
  expect(worst).toBeLessThan(tolerance);
}

describe('standard library', () => {
  const next = numbers(7);
  const [T, D] = [5, 6];
  const x = matrix(T, D, next);
  const flat = x.flat();
  const model = (imports: string, body: string): string =>
    `import { ${imports} } from "std"\nmodel m {\n  dim T = ${T}, D = ${D}\n  secret x[T, D]: fixed<16, 11>\n${body}}\n`;

  test('every file checks, and everything in it can be imported from "std"', () => {
    const folder = new URL('../../stdlib/', import.meta.url);
    const all = resolveImport('std')?.text ?? '';
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.zkl'))) {
      const name = file === 'std.zkl' ? 'std' : `std/${file.replace('.zkl', '')}`;
      expect(standardFile(name)).toBe(file);
      const { text = '', source = '' } = resolveImport(name) ?? {};
      const parsed = parse(text, source);
      expect(parsed.diagnostics).toEqual([]);
      expect(check({ program: parsed.program, source, resolveImport }).diagnostics).toEqual([]);
      for (const item of parsed.program.items) expect(all).toMatch(new RegExp(`\\b${item.name.text}\\b`));
    }
    for (const name of ['std/../std', 'std/', 'standard', 'std/a/b', 'Std']) expect(standardFile(name)).toBeUndefined();
  });

  test('linear, conv1d and lora are exact', () => {
    const [W, b] = [matrix(4, D, next), matrix(1, 4, next)];
    const [A, B] = [matrix(2, D, next), matrix(4, 2, next)];
    const dense = times(x, transpose(W));
    const inputs = { x: flat, 'y/linear/W': W.flat() };
    expectClose(run(model('linear', '  public y = 1 * linear<4>(x)\n'), inputs), dense.flat(), 3e-3);
    const biased = map2(dense, (v, _, j) => v + b[0][j]).flat();
    const convolution = { x: flat, 'y/conv1d/W': transpose(W).flat(), 'y/conv1d/b': b.flat() };
    expectClose(run(model('conv1d', '  public y = 1 * conv1d<4>(x)\n'), convolution), biased, 3e-3);
    const update = map2(times(times(x, transpose(A)), transpose(B)), (v) => (16 / 2) * v).flat();
    const adapter = { x: flat, 'y/lora/A': A.flat(), 'y/lora/B': B.flat() };
    expectClose(run(model('lora', '  public y = 1 * lora<4, 2>(x, 16)\n'), adapter), update, 2e-2);
  });

  test('rmsnorm and layernorm', () => {
    const [g, b] = [matrix(1, D, next)[0], matrix(1, D, next)[0]];
    const rms = x.map((row) => {
      const s = 1 / Math.sqrt(1e-5 + row.reduce((sum, v) => sum + v * v, 0) / D);
      return row.map((v, d) => v * s * g[d]);
    });
    expectClose(run(model('rmsnorm', '  public y = rmsnorm(x, 1e-5)\n'), { x: flat, 'y/g': g }), rms.flat(), 4e-3);
    const layer = x.map((row) => {
      const mean = row.reduce((sum, v) => sum + v, 0) / D;
      const s = 1 / Math.sqrt(1e-5 + row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / D);
      return row.map((v, d) => (v - mean) * s * g[d] + b[d]);
    });
    const inputs = { x: flat, 'y/g': g, 'y/b': b };
    expectClose(run(model('layernorm', '  public y = layernorm(x, 1e-5)\n'), inputs), layer.flat(), 4e-3);
  });

  test('rope turns pairs by an angle', () => {
    const K = D;
    const turned = x.map((row, t) =>
      row.map((v, j) => {
        const half = K / 2;
        const angle = t * 10000 ** ((-2 * (j % half)) / K);
        return j < half
          ? v * Math.cos(angle) - row[j + half] * Math.sin(angle)
          : v * Math.cos(angle) + row[j - half] * Math.sin(angle);
      }),
    );
    const body = '  r = rope(x as [T, 1, D], 10000)\n  public y = r as [T, D]\n';
    expectClose(run(model('rope', body), { x: flat }), turned.flat(), 2e-3);
  });

  test('causal attention with grouped heads', () => {
    const [H, G, K] = [2, 1, 3];
    const [k, v] = [matrix(T, G * K, next), matrix(T, G * K, next)];
    const out = x.map((row, t) =>
      Array.from({ length: H }, (_, h) => {
        const scores = Array.from({ length: t + 1 }, (__, s) => {
          const dot = [0, 1, 2].reduce((sum, j) => sum + row[h * K + j] * k[s][j], 0);
          return Math.exp(dot / Math.sqrt(K));
        });
        const total = scores.reduce((a, b) => a + b, 0);
        return [0, 1, 2].map((j) => scores.reduce((sum, w, s) => sum + (w / total) * v[s][j], 0));
      }).flat(),
    );
    const body = `  secret k[T, ${G * K}]: fixed<16, 11>\n  secret v[T, ${G * K}]: fixed<16, 11>
  public y = attention(x as [T, ${H}, ${K}], k as [T, ${G}, ${K}], v as [T, ${G}, ${K}])\n`;
    expectClose(run(model('attention', body), { x: flat, k: k.flat(), v: v.flat() }), out.flat(), 5e-3);
  });

  test('swiglu, gelu and cross entropy', () => {
    const [gate, up, down] = [matrix(4, D, next), matrix(4, D, next), matrix(D, 4, next)];
    const silu = (v: number): number => v / (1 + Math.exp(-v));
    const [a, b] = [times(x, transpose(gate)), times(x, transpose(up))];
    const out = times(
      map2(a, (v, i, j) => silu(v) * b[i][j]),
      transpose(down),
    );
    const inputs = {
      x: flat,
      'y/swiglu/g/linear/W': gate.flat(),
      'y/swiglu/u/linear/W': up.flat(),
      'y/swiglu/y/W': down.flat(),
    };
    expectClose(run(model('swiglu', '  public y = 1 * swiglu<4>(x)\n'), inputs), out.flat(), 5e-3);

    const gelu = flat.map((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))));
    expectClose(run(model('gelu', '  public y = gelu(x)\n'), { x: flat }), gelu, 1e-3);

    const target = [0, 3, 5, 1, 2];
    const losses = x.map((row, t) => Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0)) - row[target[t]]);
    const loss = losses.reduce((sum, v) => sum + v, 0) / T;
    const body = '  secret target[T]: index<D>\n  public y = cross_entropy(x, target)\n';
    expectClose(run(model('cross_entropy', body), { x: flat, target }), [loss], 2e-2);
  });
});
