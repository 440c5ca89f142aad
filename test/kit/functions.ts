/**
 * Random small programs of functions that are no polynomials, as text: rounding of all forms, tables, maxima, indices. Types
 * are so narrow that all their solutions can be tried (`solutions.ts`), and the numbers such that divisors are no powers of
 * two, may be 0 or negative, maxima tie, tables saturate, and some inputs have no value at all.
 */
import type { Draw } from './draw.ts';

const kinds = ['rounds', 'tables', 'maxima', 'indices'] as const;
export type FunctionKind = (typeof kinds)[number];

/** The text of a model. It may be refused by the compiler. */
export function functionProgram(draw: Draw, kind: FunctionKind = draw.pick(kinds)): string {
  return { rounds, tables, maxima, indices }[kind](draw);
}

const coefficient = (d: Draw): string =>
  d.pick(['1', '2', '3', '7', '1/2', '1/3', '2/3', '5/4', '3/5', '1/16', '-1', '-3', '-2/3']);
const positive = (d: Draw): string => d.pick(['1', '2', '3', '1/2', '1/3', '5/4', '1/16']);
const narrow = (d: Draw): string => `${2 + d.below(3)}, ${d.below(4) - 1}`;
const result = (d: Draw): string => `${3 + d.below(3)}, ${d.below(4) - 1}`;

/** One or two terms of up to two factors. */
const polynomial = (d: Draw, names: readonly string[]): string =>
  Array.from(
    { length: 1 + d.below(2) },
    () => `(${[coefficient(d), ...Array.from({ length: d.below(3) }, () => d.pick(names))].join(' * ')})`,
  ).join(' + ');

function square(d: Draw, names: readonly string[]): string {
  const name = d.pick(names);
  return `${positive(d)} * ${name} * ${name}`;
}

function rounds(d: Draw): string {
  const names = ['w', 'v', 'x'];
  const argument = d.pick([
    (): string => polynomial(d, names),
    (): string => `(${polynomial(d, names)}) / (${positive(d)} + ${square(d, names)})`,
    (): string => `(${polynomial(d, names)}) / (${polynomial(d, names)})`,
    (): string => `sqrt(${square(d, names)}${d.pick(['', ' + 1', ' + 1/3'])})`,
    (): string => `sqrt(${polynomial(d, names)})`,
    (): string => `${positive(d)} / sqrt(${positive(d)} + ${square(d, names)})`,
    (): string => `${positive(d)} / sqrt(${square(d, names)})`,
    (): string => `${positive(d)} / sqrt(${polynomial(d, names)})`,
  ])();
  const value = `round<${result(d)}>(${argument})`;
  return `model rounds {
    public x: fixed<${narrow(d)}>
    secret w: fixed<${narrow(d)}> from adapter "w"
    secret v: fixed<${narrow(d)}> from adapter "v"
    ${d.pick([`public y = ${value}`, `y = ${value}\n    public z = 2 * y + x`])}
  }`;
}

function tables(d: Draw): string {
  const frac = d.below(3);
  const end = (n: number): string => `${n} / ${2 ** frac}`;
  const domain = d.pick(['', `in [${end(-d.below(3))}, ${end(d.below(3))}] ${d.pick(['', 'saturate'])}`]);
  const argument = d.pick(['w', `round(${polynomial(d, ['w', 'x'])})`, `round(${polynomial(d, ['w', 'x'])})`]);
  return `table f(t: fixed<3, ${frac}> ${domain}) -> fixed<16, 8> = ${d.pick(['t * t', 't / 2', '1 - t', 't * t * t', '3'])}
  model tables {
    public x: fixed<${narrow(d)}>
    secret w: fixed<${d.pick([`3, ${frac}`, '4, 1'])}> from adapter "w"
    y = f(${argument})
    public z = ${d.pick(['y', '3 * y + x'])}
  }`;
}

function maxima(d: Draw): string {
  const length = 2 + d.below(3);
  const rows = d.pick([1, 1, 2]);
  const guard =
    rows > 1
      ? d.pick(['', ' if j <= i', ' if j != i'])
      : d.pick(['', ` if j < ${1 + d.below(length)}`, ` if j != ${d.below(length)}`]);
  const of = d.pick(['w[j] * x', 'w[j]', '-1 * w[j] + x', 'w[j] * w[j]', '3']);
  const uses = [
    (): string => `public k[i: M] = ${d.pick(['max', 'argmax'])}(j: N${guard}) (${of})`,
    (): string => `k[i: M] = max(j: N${guard}) (${of})\n    public z[i: M] = k[i] + x`,
    (): string => `k[i: M] = argmax(j: N${guard}) (${of})\n    public z[i: M] = w[k[i]] + x`,
  ];
  return `model maxima {
    dim N = ${length}, M = ${rows}
    public x: fixed<3, ${d.below(2)}>
    secret w[N]: fixed<${2 + d.below(2)}, 1> from adapter "w"
    ${d.pick(uses)()}
  }`;
}

function indices(d: Draw): string {
  const size = 2 + d.below(3);
  const use = d.pick([
    'E[k[t]]',
    'E[k[t]] * E[k[t]]',
    `E[k[t]] + [${d.below(size)} == k[t]]`,
    'sum(v) [v == k[t]] * E[v] * E[v]',
    'E[k[t]] * x',
  ]);
  const [table, declared] = d.pick([
    ['', `${d.pick(['public', 'secret'])} k[T]: index<V>`],
    [`table b(q: index<${size}>) -> index<${size}> = ${size - 1} - q`, 'secret s[T]: index<V>\n    k = b(s)'],
    [
      `table b(q: fixed<3, 0> in [0, ${Math.min(size - 1, 3)}]) -> index<${size}> = q`,
      'secret s[T]: fixed<3, 0> from adapter "s"\n    k = b(s)',
    ],
  ]);
  return `${table}
  model indices {
    dim T = ${1 + d.below(2)}, V = ${size}
    public x: fixed<3, 1>
    ${declared}
    secret E[V]: fixed<4, 1> from adapter "E"
    public z[t: T] = ${use}
  }`;
}
