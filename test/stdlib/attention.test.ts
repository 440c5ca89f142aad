/** Rotary positions, attention in all its forms, softmax: exact integers step by step, and close to floating point. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dropBits, expectClose, fill, integers, near, run, sum } from './run.ts';
import type { Result } from './run.ts';

const RUNS = { numRuns: 10 };
const heads = fc.constantFrom({ H: 1, G: 1 }, { H: 2, G: 1 }, { H: 2, G: 2 }, { H: 4, G: 2 }, { H: 6, G: 2 });
const shapes = fc.record({
  N: fc.constantFrom(1, 2, 3),
  T: fc.constantFrom(1, 2, 3, 5, 8),
  K: fc.constantFrom(2, 4, 6),
  heads,
  seed: fc.nat(),
});

interface Shape {
  /** Sequences; the functions here are about one. */
  readonly N?: number;
  readonly T: number;
  readonly H: number;
  readonly G: number;
  readonly K: number;
}

const BASE = 10000;
const angle = (t: number, j: number, K: number): number => t * BASE ** ((-2 * j) / K);

/** The entry paired with j, the pair's number, and the sign of the sine. */
const halves = (j: number, K: number): [other: number, pair: number, sign: number] =>
  j < K / 2 ? [j + K / 2, j, -1] : [j - K / 2, j - K / 2, 1];
const neighbours = (j: number): [other: number, pair: number, sign: number] =>
  j % 2 === 0 ? [j + 1, j / 2, -1] : [j - 1, (j - 1) / 2, 1];
type Pairing = (j: number, K: number) => [other: number, pair: number, sign: number];

/** q turned and divided by sqrt(n), q and the result of 11 fraction bits, the constants of 14. */
function turn(q: readonly bigint[], [T, H, K]: readonly number[], pairing: Pairing, n: number): bigint[] {
  return fill([T, H, K], (t, h, j) => {
    const [other, pair, sign] = pairing(j, K);
    const [C, S] = [Math.cos, Math.sin].map((f) => near(f(angle(t, pair, K)) / Math.sqrt(n), 14));
    const at = (t * H + h) * K;
    return dropBits(q[at + j] * C + BigInt(sign) * q[at + other] * S, 14);
  });
}

const turnReal = (q: readonly number[], [T, H, K]: readonly number[], pairing: Pairing): number[] =>
  fill([T, H, K], (t, h, j) => {
    const [other, pair, sign] = pairing(j, K);
    const at = (t * H + h) * K;
    return q[at + j] * Math.cos(angle(t, pair, K)) + sign * q[at + other] * Math.sin(angle(t, pair, K));
  });

/** The entries of each of n sequences. */
const sequences = <T>(of: readonly T[], n: number): T[][] =>
  Array.from({ length: n }, (_, k) => of.slice((k * of.length) / n, ((k + 1) * of.length) / n));

/** What `attend` states, on scores and values of 11 fraction bits. */
function attend(z: readonly bigint[], v: readonly bigint[], { T, H, G, K }: Shape): bigint[] {
  const w = fill([H, T, T], (h, t, s) => {
    if (s > t) return 0n;
    const row = z.slice((h * T + t) * T, (h * T + t) * T + t + 1);
    const m = row.reduce((a, b) => (b > a ? b : a));
    const x = row[s] - m;
    return near(Math.exp(Number(x < -32767n ? -32767n : x) / 2 ** 11), 15);
  });
  return fill([T, H, K], (t, h, j) => {
    const row = w.slice((h * T + t) * T, (h * T + t + 1) * T);
    const n = row.reduce((a, b) => a + b);
    // 1 / n to 17 bits: n has 15.
    const r = ((1n << 33n) + n) / (2n * n);
    const mixed = sum(T, 0n, (s: number) => row[s] * v[(s * G + Math.floor(h / (H / G))) * K + j]);
    return dropBits(r * mixed, 32);
  });
}

function attendReal(q: readonly number[], k: readonly number[], v: readonly number[], shape: Shape): number[] {
  const { T, H, G, K } = shape;
  return fill([T, H, K], (t, h, j) => {
    const g = Math.floor(h / (H / G));
    const weights = Array.from({ length: t + 1 }, (_, s) =>
      Math.exp(sum(K, 0, (i: number) => q[(t * H + h) * K + i] * k[(s * G + g) * K + i]) / Math.sqrt(K)),
    );
    const total = weights.reduce((a, b) => a + b);
    return weights.reduce((a, w, s) => a + (w / total) * v[(s * G + g) * K + j], 0);
  });
}

const model = ({ N = 1, T, H, G, K }: Shape, imports: string, body: string): string =>
  `import { ${imports} } from "std"
   model m {
     dim N = ${N}, T = ${T}, H = ${H}, G = ${G}, K = ${K}
     secret q[N, T, H, K]: fixed<16, 11>
     secret k[N, T, G, K]: fixed<16, 11>
     secret v[N, T, G, K]: fixed<16, 11>
     public y = ${body}
   }`;

const real = (v: readonly bigint[]): number[] => v.map((x) => Number(x) / 2 ** 11);
const scores = (q: readonly bigint[], k: readonly bigint[], { T, H, G, K }: Shape): bigint[] =>
  fill([H, T, T], (h, t, s) =>
    sum(K, 0n, (j: number) => q[(t * H + h) * K + j] * k[(s * G + Math.floor(h / (H / G))) * K + j]),
  );

describe('rotary positions', () => {
  test.each([
    ['rope', halves],
    ['rope_interleaved', neighbours as Pairing],
  ])('%s', (name, pairing) => {
    fc.assert(
      fc.property(shapes, ({ N, T, K, heads: { H, G }, seed }) => {
        const draw = integers(seed, 13);
        const found = run(model({ N, T, H, G, K }, name, `${name}(q, ${BASE})`), draw)('y');
        const q = sequences(draw('q', N * T * H * K), N);
        expect(found.integers).toEqual(q.flatMap((x) => turn(x, [T, H, K], pairing, 1)));
        const expected = q.flatMap((x) => turnReal(real(x), [T, H, K], pairing));
        expectClose(found.values, expected, 1e-3);
      }),
      RUNS,
    );
  });

  test('turn turns the first entries by given angles, and keeps the others', () => {
    fc.assert(
      fc.property(shapes, ({ T, K, heads: { H, G }, seed }) => {
        const draw = integers(seed, 13);
        const q = draw('q', T * H * K);
        for (const part of [K, ...(K > 2 ? [K - 2] : [])]) {
          const body = `turn(q, frequencies<${part / 2}>(${BASE}, 1), ${K})`;
          const found = run(model({ T, H, G, K }, 'turn, frequencies', body), draw)('y').integers;
          const first = fill([T, H, part], (t, h, j) => q[(t * H + h) * K + j]);
          const turned = turn(first, [T, H, part], halves, K);
          const kept = near(1 / Math.sqrt(K), 14);
          const expected = fill([T, H, K], (t, h, j) =>
            j < part ? turned[(t * H + h) * part + j] : dropBits(kept * q[(t * H + h) * K + j], 14),
          );
          expect(found).toEqual(expected);
        }
      }),
      RUNS,
    );
  });
});

describe('attention', () => {
  /** The block's result, the integers it should have, the numbers it should be near. */
  function compare(shape: Shape, name: string, seed: number, pairing?: Pairing): void {
    const { N = 1, T, H, G, K } = shape;
    const draw = integers(seed, 13);
    const body = pairing === undefined ? `${name}(q, k, v)` : `${name}(q, k, v, ${BASE})`;
    const found = run(model(shape, name, body), draw)('y');
    const drawn = ['q', 'k', 'v'].map((x) => sequences(draw(x, N * T * (x === 'q' ? H : G) * K), N));
    const [integer, floating]: [bigint[], number[]] = [[], []];
    for (let n = 0; n < N; n++) {
      const [q, k, v] = drawn.map((x) => x[n]);
      const queries = pairing === undefined ? q : turn(q, [T, H, K], pairing, K);
      const keys = pairing === undefined ? k : turn(k, [T, G, K], pairing, 1);
      const c = near(1 / Math.sqrt(K), 15);
      const z = scores(queries, keys, shape).map((x) =>
        pairing === undefined ? dropBits(c * x, 15 + 11) : dropBits(x, 11),
      );
      integer.push(...attend(z, v, shape));
      const [a, b] = [real(q), real(k)];
      const near1 = pairing === undefined ? a : turnReal(a, [T, H, K], pairing);
      const near2 = pairing === undefined ? b : turnReal(b, [T, G, K], pairing);
      floating.push(...attendReal(near1, near2, real(v), shape));
    }
    expect(found.shape).toEqual([N * T, H * K]);
    expect(found.integers).toEqual(integer);
    expectClose(found.values, floating, 5e-3);
  }

  test.each([
    ['attention', undefined],
    ['rotary_attention', halves],
    ['interleaved_attention', neighbours as Pairing],
  ])('%s with grouped heads', (name, pairing) => {
    fc.assert(
      fc.property(shapes, ({ N, T, K, heads: h, seed }) => {
        compare({ N, T, K, ...h }, name, seed, pairing);
      }),
      RUNS,
    );
  });

  test('fused_attention takes queries, keys and values apart', () => {
    fc.assert(
      fc.property(shapes, ({ T, K, heads: { H }, seed }) => {
        const shape: Shape = { T, K, H, G: H };
        const text = `import { fused_attention } from "std"
          model m {
            secret c[1, ${T}, ${3 * H * K}]: fixed<16, 11>
            public y = fused_attention<${H}, ${K}>(c)
          }`;
        const c = integers(seed, 13)('c', 3 * T * H * K);
        const part = (n: number): bigint[] => fill([T, H * K], (t, i) => c[t * 3 * H * K + n * H * K + i]);
        const z = scores(part(0), part(1), shape).map((x) => dropBits(near(1 / Math.sqrt(K), 15) * x, 26));
        expect(run(text, () => c)('y').integers).toEqual(attend(z, part(2), shape));
      }),
      RUNS,
    );
  });

  /** q, k and v side by side in c, where `place` says: 0, 1 and 2 for the three. */
  test.each<[string, (n: number, h: number, H: number, G: number) => number, string]>([
    ['fused_turned_attention', (n, h, H, G) => (n === 0 ? h : n === 1 ? H + h : H + G + h), 'H, G, K'],
    ['headwise_turned_attention', (n, h) => 3 * h + n, 'H, K'],
  ])('%s takes queries, keys and values apart', (name, place, dims) => {
    fc.assert(
      fc.property(shapes, ({ T, K, heads: { H, G: groups }, seed }) => {
        const G = dims.includes('G') ? groups : H;
        const width = (H + 2 * G) * K;
        const text = `import { ${name}, frequencies } from "std"
          model m {
            dim H = ${H}, G = ${G}, K = ${K}
            secret c[1, ${T}, ${width}]: fixed<16, 11>
            public y = ${name}<${dims}>(c, frequencies<K / 2>(${BASE}, 1), K)
          }`;
        const c = integers(seed, 13)('c', T * width);
        const part = (n: number, heads: number): bigint[] =>
          fill([T, heads, K], (t, h, j) => c[t * width + place(n, h, H, G) * K + j]);
        const shape: Shape = { T, K, H, G };
        const queries = turn(part(0, H), [T, H, K], halves, K);
        const keys = turn(part(1, G), [T, G, K], halves, 1);
        const z = scores(queries, keys, shape).map((x) => dropBits(x, 11));
        expect(run(text, () => c)('y').integers).toEqual(attend(z, part(2, G), shape));
      }),
      RUNS,
    );
  });

  test('scores far below the maximum count as the end of the table', () => {
    const shape: Shape = { T: 3, H: 1, G: 1, K: 2 };
    const text = `import { attend } from "std"
      model m {
        secret z[1, 1, 3, 3]: fixed<20, 11>
        secret v[1, 3, 1, 2]: fixed<16, 11>
        public y = attend(z, v)
      }`;
    const z = [0n, 9n, 9n, -400000n, 1n, 9n, 524287n, -524288n, 300000n];
    const v = integers(1, 14)('v', 6);
    const y = run(text, (name) => (name === 'z' ? z : v))('y');
    expect(y.integers).toEqual(attend(z, v, shape));
  });

  test('masked scores are neither read nor rounded', () => {
    const text = `import { attend } from "std"
      model m {
        secret z[1, 1, 3, 3]: fixed<16, 11>
        secret v[1, 3, 1, 2]: fixed<16, 11>
        public y = attend(z, v)
      }`;
    const v = integers(1, 14)('v', 6);
    const masked = (x: bigint): bigint[] => [5n, x, x, 7n, 9n, x, 1n, 2n, 3n];
    const [a, b]: Result[] = [0n, 30000n].map((x) => run(text, (name) => (name === 'z' ? masked(x) : v))('y'));
    expect(a.integers).toEqual(b.integers);
  });

  test('heads that no group divides are an error, not a different meaning', () => {
    expect(() => run(model({ T: 2, H: 3, G: 2, K: 2 }, 'attention', 'attention(q, k, v)'), integers(1, 8))).toThrow();
  });
});

test('causal_softmax sums to one within its rounding', () => {
  fc.assert(
    fc.property(shapes, ({ N, T, heads: { H }, seed }) => {
      const text = `import { causal_softmax } from "std"
        model m {
          secret z[${N}, ${H}, ${T}, ${T}]: fixed<16, 11>
          public y = causal_softmax(z)
        }`;
      const draw = integers(seed, 15);
      const [y, z] = [run(text, draw)('y'), real(draw('z', N * H * T * T))];
      const expected = fill([N * H, T, T], (h, t, s) => {
        if (s > t) return 0;
        const row = z.slice((h * T + t) * T, (h * T + t) * T + t + 1);
        return Math.exp(row[s]) / row.reduce((a, b) => a + Math.exp(b), 0);
      });
      expectClose(y.values, expected, 1e-3);
    }),
    RUNS,
  );
});
