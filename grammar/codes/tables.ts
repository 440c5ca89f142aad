/** 4xx: tables. */
import { entries } from './entry.ts';

const apply = (table: string, value: string): string => `${table}
model m {
  secret x[4]: fixed<8, 4>
  public y[i] = ${value}
}
`;

export const tables = entries({
  ZKL406: {
    title: '`{type}` does not hold every value',
    meaning: 'For some argument of its domain the value of the table does not fit its type.',
    remedy: 'Choose a wider type, or a smaller domain.',
    example: apply('table twice(x: fixed<8, 4>) -> fixed<8, 4> = 2 * x', 'twice(x[i])'),
    mend: [['-> fixed<8, 4>', '-> fixed<9, 4>']],
  },
  ZKL414: {
    title: 'a table of more than 2^20 rows',
    meaning: 'A table has a row for each argument, and all of them are part of the proof.',
    remedy: 'Give it a domain, `in [a, b]`, or fewer bits.',
    example: apply('table half(x: fixed<30, 4>) -> fixed<30, 4> = x / 2', 'half(round(x[i]))'),
    mend: [['x: fixed<30, 4>', 'x: fixed<8, 4>']],
  },
  ZKL425: {
    title: '`{table}` takes `{type}`',
    meaning: 'A table is applied to values of the type of its argument, and this is of another, or not rounded.',
    remedy: 'Round it: `NAME(round(...))` rounds to the type of the table.',
    example: apply('table half(x: fixed<8, 4>) -> fixed<8, 4> = x / 2', 'half(x[i] * x[i])'),
    mend: [['half(x[i] * x[i])', 'half(round(x[i] * x[i]))']],
  },
  ZKL428: {
    title: 'not a real number for every argument',
    meaning:
      'For some argument of its domain the table has no value: a quotient by zero, or the root of a negative number.',
    remedy: 'Give it a domain without it: `in [a, b]`.',
    example: apply('table root(x: fixed<8, 4> in [-1, 2]) -> fixed<8, 4> = sqrt(exp(x) - 1)', 'root(round(x[i]))'),
    mend: [['[-1, 2]', '[1, 2]']],
  },
  ZKL436: {
    title: 'a table without a value at 0 under a guard',
    meaning: 'Where the guard does not hold, the argument counts as 0, which the domain leaves out.',
    remedy: 'Apply it in an equation of its own, without the guard.',
    example: apply('table half(x: fixed<8, 4> in [1, 2]) -> fixed<8, 4> = x / 2', 'if i < 2 then half(x[i]) else 0'),
    mend: [
      ['public y[i] = if i < 2 then half(x[i]) else 0', 'h[i] = half(x[i])\n  public y[i] = if i < 2 then h[i] else 0'],
    ],
  },
  ZKL437: {
    title: '`{name}` is given by nothing',
    meaning:
      'The dimensions of a table follow from the type of its argument, which is made of them as `fixed<B, F>` is.',
    remedy: 'Use them as they are in the type of the argument.',
    example: apply('table half<B, F>(x: fixed<B, F + 1>) -> fixed<B, 4> = x / 2', 'half(x[i])'),
    mend: [['fixed<B, F + 1>', 'fixed<B, F>']],
  },
  ZKL438: {
    title: 'not a value of `{type}`',
    meaning: 'The ends of a domain are values of the type.',
    remedy: 'Choose ends that the type holds.',
    example: apply('table half(x: fixed<8, 4> in [-9, 0]) -> fixed<8, 4> = x / 2', 'half(round(x[i]))'),
    mend: [['[-9, 0]', '[-8, 0]']],
  },
  ZKL439: {
    title: 'an empty domain',
    meaning: 'A domain reaches from its lower to its upper end.',
    remedy: 'Write the lower end first.',
    example: apply('table half(x: fixed<8, 4> in [1, 0]) -> fixed<8, 4> = x / 2', 'half(round(x[i]))'),
    mend: [['[1, 0]', '[0, 1]']],
  },
});
