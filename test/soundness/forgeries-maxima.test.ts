/** Forged maxima and indices of maxima, hidden and public. */
import { r } from '../../runtime/protocol/scalar.ts';
import { testDevice } from '../kit/devices.ts';
import { change, describeForgeries, type Case } from './forged.ts';

const cases: Record<string, Case> = {
  'a maximum': {
    text: `model m { dim N = 2, M = 5
      secret w[N, M]: fixed<6, 2> from adapter "w"
      m[i] = max(j if j <= i + 2) w[i, j]
      k[i] = argmax(j) w[i, j]
      public y[i] = m[i]
      public a[i] = k[i] }`,
    inputs: { w: [3n, 7n, -2n, 30n, 31n, 5n, 9n, 9n, -1n, 9n] },
    forgeries: {
      'larger than every entry': { change: change(['m', 0, 1n]), bound: ['m is attained'] },
      'attained, but smaller than another': {
        change: (f) => {
          f.set('m', 0, 3n);
          f.set('m selector', 0, 1n);
          f.set('m selector', 1, 0n);
        },
        bound: ['m less entry'],
      },
      'attained where the guard does not hold': {
        change: (f) => {
          f.set('m', 0, 31n);
          f.set('m selector', 4, 1n);
          f.set('m selector', 1, 0n);
        },
        bound: ['m selects one', 'm is attained'],
      },
      'attained by two halves': {
        change: (f) => {
          const half = (r + 1n) / 2n;
          f.set('m', 1, 9n);
          f.set('m selector', 6, half);
          f.set('m selector', 7, half);
        },
        bound: ['m selector is 0 or 1'],
      },
      'attained twice': {
        change: (f) => f.set('m selector', 7, 1n),
        bound: ['m selects one', 'm is attained', 'm selects nothing else'],
      },
      'the later of two largest': {
        change: (f) => {
          f.set('k selector', 6, 0n);
          f.set('k selector', 7, 1n);
          f.set('k after this', 6, 1n);
        },
        bound: ['k less entry'],
      },
      'a later one, as if it were the first': {
        change: (f) => {
          f.set('k selector', 6, 0n);
          f.set('k selector', 7, 1n);
        },
        bound: ['k counts from its end'],
      },
    },
  },
  'the index of a maximum, public': {
    // Six places for five entries, and a row without an entry above 0.
    text: `model m { dim N = 2, M = 5
      secret w[N, M]: fixed<6, 2> from adapter "w"
      public k[i] = argmax(j) w[i, j] }`,
    inputs: { w: [3n, 7n, -2n, 30n, 31n, -15n, -9n, -9n, -11n, -9n] },
    forgeries: {
      'of a smaller entry before it': { change: (f) => f.set('k', 0, 3n), bound: ['k less entry'] },
      'of a smaller entry after it': { change: (f) => f.set('k', 1, 3n), bound: ['k less entry'] },
      'of the later of two largest': { change: (f) => f.set('k', 1, 2n), bound: ['k less entry'] },
    },
  },
  'the index of a maximum of sums, public': {
    text: `model m { dim D = 2, M = 4
      secret y[D]: fixed<16, 2> from adapter "y"
      open E[M, D]: fixed<16, 2> from base "E"
      public k = argmax(v) (sum(d) y[d] * E[v, d]) }`,
    inputs: { y: [300n, -400n], E: [100n, -2n, 100n, -3n, 100n, -3n, -7n, 9n] },
    forgeries: {
      // 30,800 is 400 below the largest: the difference is what is left of 2^16 less a limb of 2^16.
      'of a smaller entry': {
        change: (f) => {
          f.set('k', 0, 0n);
          for (const v of [1, 2]) f.set('k less entry bits 16', v, -1n);
        },
        bound: ['k less entry bits 16'],
      },
      'of a smaller entry, what is left negative': {
        change: (f) => f.set('k', 0, 0n),
        bound: ['k less entry below bit 16'],
      },
      'of the later of two largest': {
        change: (f) => f.set('k', 0, 2n),
        bound: ['k less entry below bit 16'],
      },
    },
  },
};

describeForgeries(await testDevice(), cases);
