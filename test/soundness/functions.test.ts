/** The kit's whole check on functions that are no polynomials: rounding, tables, maxima, indices, and all of them together. */
import { describe, expect, test } from 'vitest';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';

const device = await testDevice();

const cases: Record<string, string> = {
  'a rounded product that is read again': `model m { dim N = 5
    public x[N]: fixed<12, 6>
    secret w[N]: fixed<8, 4> from adapter "w"
    y[i] = round<12, 3>(w[i] * x[i])
    public z[i] = y[i] * w[i] }`,
  'a rounded output': `model m { dim N = 3, M = 7
    public x[N, M]: fixed<12, 6>
    secret w[M]: fixed<8, 4> from adapter "w"
    public y[i] = round<16, 3>(sum(j) w[j] * x[i, j]) }`,
  'a wide rounding, in limbs': `model m { dim N = 3
    public x[N]: fixed<20, 6>
    secret w[N]: fixed<18, 4> from adapter "w"
    y[i] = round<34, 4>(w[i] * x[i])
    public z[i] = y[i] + w[i] }`,
  'a remainder of more than 16 bits': `model m { dim N = 3
    public x[N]: fixed<20, 12>
    secret w[N]: fixed<18, 14> from adapter "w"
    y[i] = round<16, 4>(w[i] * x[i])
    public z[i] = y[i] + w[i] }`,
  'a divisor that is no power of two': `model m { dim N = 5
    public x[N]: fixed<12, 6>
    secret w[N]: fixed<8, 4> from adapter "w"
    public y[i] = round<12, 3>(1/3 * w[i] * x[i]) }`,
  'a rounding of one number': `model m {
    secret w: fixed<8, 4> from adapter "w"
    y = round<8, 2>(w)
    public z = 2 * y }`,
  'a table': `table square(x: fixed<6, 2>) -> fixed<12, 4> = x * x
    model m { dim N = 6
    secret w[N]: fixed<6, 2> from adapter "w"
    v = square(w)
    public y[i] = 3 * v[i] }`,
  'one table, read of what is rounded, public and defined; a public value': `table f(x: fixed<6, 2> in [-8, 7]) -> fixed<8, 3> = x / 2
    model m { dim N = 3
    public x[N]: fixed<6, 2>
    secret w[N]: fixed<6, 2> from adapter "w"
    a = f(round(w))
    b = f(x)
    public c = f(w)
    public y[i] = a[i] * b[i] }`,
  'a table that saturates': `table half(x: fixed<8, 2> in [-2, 3] saturate) -> fixed<12, 4> = x / 2
    model m { dim N = 6
    secret w[N]: fixed<10, 3> from adapter "w"
    v = half(round(w))
    public y[i] = 3 * v[i] }`,
  'a table that saturates, of what was not rounded for it': `table half(x: fixed<8, 2> in [-2, 3] saturate) -> fixed<12, 4> = x / 2
    model m { dim N = 6
    secret w[N]: fixed<8, 2> from adapter "w"
    v = half(w)
    public y[i] = 3 * v[i] }`,
  'a table that saturates, of entries less a maximum over some of them': `table half(x: fixed<8, 2> in [-2, 3] saturate) -> fixed<12, 4> = x / 2
    model m { dim N = 2, M = 4
    secret z[N, M]: fixed<6, 2>
    m[i] = max(j: 2) z[i, j]
    v[i: N, j: M] = half(round(z[i, j] - m[i]))
    public y[i] = sum(j) v[i, j] }`,
  'maxima and their indices': `model m { dim N = 3, M = 5
    public x[N, M]: fixed<6, 2>
    secret w[M]: fixed<5, 2> from adapter "w"
    m[i] = max(j if j <= i) w[j] * x[i, j]
    public y[i] = m[i] + 1
    public k[i] = argmax(j) w[j] * x[i, j] }`,
  'public indices of the largest of sums, of products, and of sums of them': `model m { dim T = 2, V = 5, D = 3, W = 8
    secret y[T, D]: fixed<5, 2> from adapter "y"
    secret b[V]: fixed<5, 2> from adapter "b"
    secret u[T]: fixed<5, 2> from adapter "u"
    secret c[W]: fixed<5, 2> from adapter "c"
    public E[V, D]: fixed<5, 2>
    public k[t] = argmax(v) (sum(d) y[t, d] * E[v, d] + b[v] - u[t] * b[v])
    public m[t] = argmax(v) u[t] * c[v]
    public n = argmax(v) c[v] }`,
  'a maximum over one entry': `model m { dim N = 3
    secret w[N, 1]: fixed<5, 2> from adapter "w"
    public m[i] = max(j) w[i, j]
    public k[i] = argmax(j) w[i, j] }`,
  'an index that is not known, as an index': `model m { dim N = 3, M = 4
    public x[N, M]: fixed<6, 2>
    secret w[M]: fixed<5, 2> from adapter "w"
    k[i] = argmax(j) x[i, j]
    public y[i] = w[k[i]] }`,
  'a quotient': `model m { dim N = 3
    public x[N]: fixed<6, 2>
    secret w[N]: fixed<5, 2> from adapter "w"
    y[i] = round<12, 4>(w[i] / (1 + x[i] * x[i]))
    public z[i] = y[i] }`,
  roots: `model m { dim N = 3
    public x[N]: fixed<6, 2>
    secret w[N]: fixed<5, 2> from adapter "w"
    y[i] = round<12, 4>(sqrt(w[i] * w[i]))
    t[i] = round<12, 6>(1 / sqrt(1/2 + x[i] * w[i] * x[i] * w[i]))
    public z[i] = y[i] + t[i] }`,
  'public and secret indices, and one-hot guards': `model m { dim T = 3, V = 5, D = 2
    public tokens[T]: index<V>
    secret other[T]: index<V>
    secret E[V, D]: fixed<5, 2> from adapter "w"
    public z[t, d] = E[tokens[t], d] + E[other[t], d]
    public o[t, v: V] = [v == other[t]] + 2 * [v == tokens[t]] }`,
  'a secret input without a source': `model m { dim N = 5
    secret x[N]: fixed<9, 2>
    secret y[N]: fixed<20, 2>
    public z = sum(i) x[i] * y[i] }`,
  'open weights': `model m { dim T = 3, I = 5, O = 6
    public x[T, I]: fixed<8, 4>
    secret A[I]: fixed<6, 2> from adapter "A"
    open W[O, I]: fixed<6, 2> from base "W"
    open g[I]: fixed<6, 2> from base "g"
    h[t, i] = round<12, 4>(x[t, i] * g[i] * A[i])
    y[t, o] = round<16, 4>(sum(i) h[t, i] * W[o, i])
    public z[t] = sum(o) y[t, o]
    public s[o] = sum(i) W[o, i] * g[i] }`,
  'attention, whole': `table exp(x: fixed<6, 3> in [-4, 0] saturate) -> fixed<8, 6> = exp(x)
    model m { dim T = 3, H = 2, K = 2
    secret q[T, H, K]: fixed<5, 2>
    secret k[T, K]: fixed<5, 2>
    secret v[T, K]: fixed<5, 2>
    z[h, t, s] = round<8, 2>(1/3 * sum(j) q[t, h, j] * k[s, j])
    m[h, t] = max(s if s <= t) z[h, t, s]
    w[h, t, s] = if s <= t then exp(round(z[h, t, s] - m[h, t])) else 0
    n[h, t] = sum(s) w[h, t, s]
    r[h, t] = round<8, 6>(1 / n[h, t])
    p[h, t, s] = round<8, 6>(w[h, t, s] * r[h, t])
    public o[t, i: H * K] = round<8, 3>(sum(s) p[i div K, t, s] * v[s, i mod K]) }`,
};

describe('functions', () => {
  test.each(Object.entries(cases))('%s', async (_, gadget) => {
    const report = await assertGadget(gadget, { devices: [device], samples: 3, statements: 1, seed: 5 });
    expect(report.ok).toBe(true);
  });

  test('two devices make the same bytes', async () => {
    const gadget = cases['a table that saturates'];
    const options = { devices: [device, createReferenceDevice()], statements: 1, samples: 1 };
    expect((await assertGadget(gadget, options)).checks.devices).toBeGreaterThan(0);
  });
});
