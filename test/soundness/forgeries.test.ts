/**
 * Forged values, one for each thing that a gadget has to exclude: the prover commits to them and is honest otherwise. Each
 * is rejected, and each is accepted by a verifier whose program lacks the one lookup or equation that stands in its way,
 * so that it is that one which stands in its way.
 */
import { expect, test } from 'vitest';
import { inv, mul, r, reduce } from '../../runtime/protocol/scalar.ts';
import { testDevice } from '../kit/devices.ts';
import { forge } from '../kit/forge.ts';
import { change, describeForgeries, statementOf, type Case } from './forged.ts';

const device = await testDevice();

const cases: Record<string, Case> = {
  'a rounded sum': {
    text: `model m { dim N = 3
      secret w[N]: fixed<8, 4> from adapter "w"
      secret v[N]: fixed<8, 4> from adapter "v"
      y[i] = round<8, 4>(w[i] * v[i])
      public z = sum(i) y[i] }`,
    inputs: { w: [13n, -20n, 7n], v: [9n, 5n, -3n] },
    forgeries: {
      'one more, the remainder negative': { change: change(['y', 1, 1n]), bound: ['y remainder'] },
      'one less, the remainder too large': { change: change(['y', 1, -1n]), bound: ['y remainder'] },
      // The remainders 1 and 0 are in their range, and the sum is an integer, one more than it is.
      'field elements with remainders that fit': {
        change: (f) => {
          const [first, second] = f.get('y before rounding');
          f.set('y', 0, mul(reduce(first - 1n), inv(16n)));
          f.set('y', 1, mul(reduce(second), inv(16n)));
        },
        bound: ['y'],
      },
      // Where y is one less the remainder is 16 more, which the table for y would have.
      'a remainder that only another table has': {
        change: change(['y', 1, -1n]),
        after: (f) => f.add('multiplicities of range 8', Number(f.get('y remainder')[1]), 1n),
      },
    },
  },
  'a rounded sum whose divisor is no power of two': {
    text: `model m { dim N = 3
      secret w[N]: fixed<8, 0> from adapter "w"
      y[i] = round<8, 0>(1/3 * w[i])
      public out[i] = 2 * y[i] }`,
    inputs: { w: [-1n, -20n, 7n] },
    forgeries: {
      // 2 (-1) + 3 = 6 * 0 + 1 = 6 * (-1) + 7, and 7 has three bits like the largest remainder, 5.
      'one less, the remainder above the divisor': { change: change(['y', 0, -1n]), bound: ['y remainder complement'] },
      'one more': { change: change(['y', 1, 1n]), bound: ['y remainder'] },
    },
  },
  'a quotient': {
    text: `model m { dim N = 3
      secret w[N]: fixed<8, 4> from adapter "w"
      secret v[N]: fixed<8, 4> from adapter "v"
      y[i] = round<16, 4>(w[i] / (1 + v[i] * v[i]))
      public z[i] = y[i] }`,
    inputs: { w: [13n, -20n, 7n], v: [9n, 5n, -3n] },
    forgeries: {
      'one more': { change: change(['y', 1, 1n]), bound: ['y remainder'] },
      'one less': { change: change(['y', 0, -1n]), bound: ['y remainder complement'] },
    },
  },
  roots: {
    text: `model m { dim N = 3
      secret w[N]: fixed<8, 4> from adapter "w"
      y[i] = round<16, 4>(sqrt(w[i] * w[i] + 1/2))
      p[i] = round<8, 0>(sqrt(w[i] * w[i]))
      public z[i] = y[i]
      public t[i] = p[i] }`,
    inputs: { w: [13n, -23n, 0n] },
    forgeries: {
      'a root one more': { change: change(['y', 1, 1n]), bound: ['y above its lower end'] },
      'a root one less': { change: change(['y', 1, -1n]), bound: ['y below its upper end'] },
      'a root said to be 0': {
        change: (f) => {
          f.set('p', 0, 0n);
          f.set('p is 0', 0, 1n);
        },
        bound: ['p below its upper end'],
      },
      'a root that is 0 said to be 1': {
        change: (f) => {
          f.set('p', 2, 1n);
          f.set('p is 0', 2, 0n);
        },
        bound: ['p above its lower end'],
      },
      'the lower end lifted where the root is not 0': {
        change: (f) => {
          f.set('p', 1, 2n);
          f.set('p is 0', 1, 1n);
        },
        bound: ['p is 0 where it says so'],
      },
      'the lower end lifted by more than a bit': {
        change: (f) => {
          f.set('p', 2, 1n);
          f.set('p is 0', 2, 9n);
        },
        bound: ['p is 0 is 0 or 1', 'p is 0 where it says so'],
      },
    },
  },
  'a reciprocal root': {
    text: `model m { dim N = 3
      secret w[N]: fixed<4, 1> from adapter "w"
      q[i] = round<8, 3>(1 / sqrt(w[i] * w[i] + 1/2))
      public s[i] = q[i] }`,
    inputs: { w: [3n, -4n, 0n] },
    forgeries: {
      'one more': { change: change(['q', 0, 1n]), bound: ['q above its lower end'] },
      'one less': { change: change(['q', 2, -1n]), bound: ['q below its upper end'] },
    },
  },
  'a table': {
    text: `table square(x: fixed<6, 2>) -> fixed<12, 4> = x * x
      model m { dim N = 3
      secret w[N]: fixed<6, 2> from adapter "w"
      v = square(w)
      public z[i] = 3 * v[i] }`,
    inputs: { w: [13n, -20n, 7n] },
    forgeries: {
      'another value': { change: change(['v', 0, 1n]), bound: ['w'] },
      'the value of another argument': { change: (f) => f.set('v', 0, 49n), bound: ['w'] },
      'a multiplicity that is one off': {
        after: change(['multiplicities of square', 3, 1n]),
      },
      'a multiplicity moved to another entry': {
        after: change(['multiplicities of square', 3, 1n], ['multiplicities of square', 32 + 13, -1n]),
      },
    },
  },
  'a table that saturates': {
    text: `table half(x: fixed<8, 2> in [-2, 3] saturate) -> fixed<12, 4> = x / 2
      model m { dim N = 4
      secret w[N]: fixed<10, 2> from adapter "w"
      v = half(round(w))
      public z[i] = 3 * v[i] }`,
    inputs: { w: [5n, 300n, -40n, 12n] },
    forgeries: {
      'an argument inside, taken for an end': {
        change: (f) => {
          f.set('v/argument', 0, 12n);
          f.set('v', 0, 24n);
          f.set('v/argument below bits 0', 0, 7n);
        },
        bound: ['v/argument saturates at an end'],
      },
      'an argument above, taken for something inside': {
        change: (f) => {
          f.set('v/argument', 1, 3n);
          f.set('v', 1, 6n);
          f.set('v/argument above bits 0', 1, 297n);
        },
        bound: ['v/argument saturates at an end'],
      },
      'an excess that is negative': {
        change: (f) => {
          f.set('v/argument', 1, -8n);
          f.set('v', 1, -16n);
          f.set('v/argument above bits 0', 1, 0n);
          f.set('v/argument below bits 0', 1, -308n);
        },
        bound: ['v/argument below bits 0'],
      },
      'nothing cut off': { change: (f) => f.set('v/argument above bits 0', 1, 0n), bound: ['v/argument is exact'] },
    },
  },
  attention: {
    text: `model m { dim T = 3, H = 2, K = 2
      secret q[T, H * K]: fixed<5, 2> from adapter "q"
      secret k[T, K]: fixed<5, 2> from adapter "k"
      z[h: H, t, s: T] = round<8, 2>(sum(j: K) q[t, h * K + j] * k[s, j])
      n[h: H, t] = sum(s: T) (if s <= t then z[h, t, s] else 0)
      r[h, t] = round<8, 3>(n[h, t])
      o[t: T, i: H * K] = round<8, 2>(r[i div K, t] * q[t, i])
      public out[t, i] = o[t, i] }`,
    inputs: {
      q: [3n, -7n, 12n, 5n, 1n, 9n, -4n, 8n, 2n, 2n, -9n, 6n],
      k: [7n, 3n, -5n, 4n, 1n, 6n],
    },
    forgeries: {
      // z[0, 1, 2] with q of head 1: (-4 + 8 * 6) / 4 where it is (1 + 9 * 6) / 4.
      'a score of another head': { change: (f) => f.set('z', 5, 11n), bound: ['z remainder'] },
      // r[0, 0] counts z[0, 0, 1], a masked entry, too.
      'a masked position counted': {
        change: (f) => f.add('r', 0, 2n * f.get('z')[1]),
        bound: ['r is exact', 'o remainder'],
      },
      // o[0, 0] with the sum of head 1.
      'a value weighted by another head': {
        change: (f) => {
          const [own, other] = [f.get('r')[0], f.get('r')[3]];
          const v = f.get('q')[0];
          f.add('o', 0, (other * v + 4n) / 8n - (own * v + 4n) / 8n);
        },
        bound: ['o remainder'],
      },
    },
  },
  'indices that are secret': {
    text: `model m { dim T = 3, V = 5
      secret tokens[T]: index<V>
      secret E[V]: fixed<6, 2> from adapter "E"
      public x[t] = E[tokens[t]] + [1 == tokens[t]] }`,
    inputs: { tokens: [1n, 4n, 0n], E: [3n, -7n, 12n, 20n, 31n] },
    forgeries: {
      'nothing selected': {
        change: (f) => f.set('selector of tokens', 1, 0n),
        bound: ['tokens selects one'],
      },
      'half of two': {
        change: (f) => {
          const half = (r + 1n) / 2n;
          f.set('selector of tokens', 5 + 4, half);
          f.set('selector of tokens', 5 + 3, half);
        },
        // What half of an odd sum would be is no integer; the output follows from it.
        bound: [],
      },
      'two selected with weights 2 and -1': {
        change: (f) => {
          f.set('selector of tokens', 10, 2n);
          f.set('selector of tokens', 11, -1n);
        },
        bound: ['selector of tokens is 0 or 1'],
      },
    },
  },
  'indices that a table gives': {
    text: `table bucket(x: fixed<4, 0> in [0, 7]) -> index<8> = x
      model m { dim T = 3
      secret w[T]: fixed<4, 0> from adapter "w"
      secret E[8]: fixed<6, 2> from adapter "E"
      b = bucket(w)
      public z[t] = E[b[t]] }`,
    inputs: { w: [1n, 5n, 2n], E: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n] },
    forgeries: {
      'the row of another index': {
        change: (f) => {
          f.set('selector of b', 1, 0n);
          f.set('selector of b', 7, 1n);
        },
        bound: ['b is what its selector selects'],
      },
    },
  },
};

describeForgeries(device, cases);

test('what a slot outside a tensor holds has to be 0', async () => {
  const s = await statementOf(device, cases.roots);
  const { tensors } = s.subject.gadgets;
  const place = tensors.find((t) => t.name === 'y')?.class;
  if (place?.kind !== 'witness') throw new Error('no such tensor');
  const verdict = await forge(device, s, {
    rows: (rows, p) => (rows[place.firstRow * p.columns + place.firstColumn + 3] = 1n),
  });
  expect(verdict.ok).toBe(false);
});
