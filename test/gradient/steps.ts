/** Random small models with a `train`: whole steps, of optimizers whose numbers are narrow. */
import fc from 'fast-check';
import { check, type FixedType } from '../../compiler/check/index.ts';
import { parse } from '../../grammar/index.ts';

/** By name: which states there are, and the statements of a step. */
const OPTIMIZERS: Readonly<Record<string, string>> = {
  descent: `state copy: fixed<12, 8> = w
  public r = round<8, 7>(rate)
  copy' = round(copy - r * g)
  w' = round(copy')`,
  momentum: `state m: fixed<12, 6> = 0
  state copy: fixed<12, 8> = w
  public r = round<8, 7>(rate)
  m' = round(m / 2 + g)
  copy' = round((1 - r / 8) * copy - r * m')
  w' = round(copy')`,
  rooted: `state m: fixed<12, 6> = 1 / 4
  state s: fixed<12, 6> = 0
  public r = round<8, 7>(rate)
  public c = round<12, 6>(1 / (1 - 1 / 2 ^ step))
  m' = round(m / 2 + g / 2)
  s' = round(sqrt(s * s / 2 + g * g / 2 + 1 / 64))
  u = round<12, 6>(c * m' / (s' + 1 / 16))
  w' = round(w - r * u)`,
};

/** What is between the trained matrices. */
const BETWEEN: Readonly<Record<string, string>> = {
  nothing: 'v[n, r] = u[n, r]',
  square: 'v[n, r] = round<12, 4>(u[n, r] * u[n, r] / 4)',
  quotient: 'v[n, r] = round<12, 4>(u[n, r] / (1 + u[n, r] * u[n, r]))',
  mirror: 'v[n, r] = u[n, r] - u[n, R - 1 - r] / 2',
};

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const sketches = fc.record({
  M: size(5),
  N: size(3),
  I: size(4),
  O: size(3),
  R: size(2),
  steps: fc.integer({ min: 2, max: 9 }),
  hasRows: fc.boolean(),
  isPublic: fc.boolean(),
  both: fc.boolean(),
  falls: fc.boolean(),
  optimizer: fc.constantFrom(...Object.keys(OPTIMIZERS)),
  between: fc.constantFrom(...Object.keys(BETWEEN)),
});

/** Texts of models that are trained. Types of gradients are left to calibration. */
export const steps = (): fc.Arbitrary<string> =>
  sketches.map(({ M, N, I, O, R, steps: count, hasRows, isPublic, both, falls, optimizer, between }) => {
    const [rows, first] = hasRows ? [M, 'rows[n]'] : [N, 'n'];
    return `optimizer ${optimizer}(w, g, step, const rate) {
  ${OPTIMIZERS[optimizer]}
}

model m {
  dim M = ${rows}, N = ${N}, I = ${I}, O = ${O}, R = ${R}
  source data
  ${hasRows ? 'public rows[N]: index<M>' : ''}
  secret X[M, I]: fixed<6, 3> from data "x"
  secret Y[M, O]: fixed<6, 3> from data "y"
  secret A[R, I]: fixed<6, 4> from adapter "a"
  secret B[O, R]: fixed<6, 4> from adapter "b"
  x[n: N, i] = X[${first}, i]
  u[n, r] = round<12, 4>(sum(i) x[n, i] * A[r, i])
  ${BETWEEN[between]}
  y[n, o] = round<12, 4>(sum(r) v[n, r] * B[o, r])

  train {
    public step: index<${count}>
    e[n, o] = round<12, 4>(y[n, o] - Y[${first}, o])
    ${isPublic ? 'public ' : ''}loss = round<14, 4>(sum(n, o) e[n, o] * e[n, o] / N)
    minimize loss over adapter${both ? '' : ' "b"'} by ${optimizer}(rate = ${falls ? '1 / (step + 2)' : '1 / 4'})
  }
}`;
  });

/** Types of all gradients. Random inputs are drawn until all of them fit. */
export function calibrationOf(text: string): Readonly<Record<string, FixedType>> {
  const { program, diagnostics } = parse(text, 'step.zkl');
  const checked = check({ program, source: 'step.zkl', provisional: true });
  const [wrong] = [...diagnostics, ...checked.diagnostics];
  if (wrong !== undefined) throw new Error(`${wrong.code} ${wrong.title}: ${text}`);
  return Object.fromEntries(checked.uncalibrated.map(({ key }) => [key, { bits: 12, frac: 3 }]));
}
