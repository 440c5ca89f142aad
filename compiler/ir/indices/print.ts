/** Index arithmetic as text, with as few brackets as its operators need. */
import type { Compare, IndexExpr, TensorId } from '../tensor/program.ts';
import { foldIndex } from './expression.ts';

/** What variables and index tensors are called. */
export interface Names {
  variable(id: number): string;
  tensor(id: TensorId): string;
}

/** A text, and what it is to an operator beside it. */
interface Printed {
  readonly text: string;
  readonly is: 'atom' | 'product' | 'sum';
}

/** An operand of a sum on its right, or of a product on its left. */
const factor = ({ text, is }: Printed): string => (is === 'sum' ? `(${text})` : text);
/** An operand of a product on its right. */
const atom = ({ text, is }: Printed): string => (is === 'atom' ? text : `(${text})`);

export const printIndex = (e: IndexExpr, names: Names): string =>
  foldIndex<Printed>(e, {
    constant: (value) => ({ text: String(value), is: 'atom' }),
    variable: (id) => ({ text: names.variable(id), is: 'atom' }),
    add: (left, right) => ({ text: `${left.text} + ${factor(right)}`, is: 'sum' }),
    sub: (left, right) => ({ text: `${left.text} - ${factor(right)}`, is: 'sum' }),
    mul: (left, right) => ({ text: `${factor(left)} * ${atom(right)}`, is: 'product' }),
    div: (left, by) => ({ text: `${factor(left)} div ${by}`, is: 'product' }),
    mod: (left, by) => ({ text: `${factor(left)} mod ${by}`, is: 'product' }),
    entry: (tensor, at) => ({ text: printAccess(tensor, at, names), is: 'atom' }),
  }).text;

/** `name[i, j + 1]`; the name alone for a scalar. */
export function printAccess(tensor: TensorId, at: readonly IndexExpr[], names: Names): string {
  const list = at.map((e) => printIndex(e, names)).join(', ');
  return `${names.tensor(tensor)}${list === '' ? '' : `[${list}]`}`;
}

export const printGuards = (guards: readonly Compare[], names: Names): string =>
  guards.map((g) => `${printIndex(g.left, names)} ${g.op} ${printIndex(g.right, names)}`).join(' and ');
