/**
 * Functions by their tables: y[i] = table[x[i]] is the lookup of the pair (x[i] - first, y[i]) among the pairs
 * (t, values[t]). The table has one pair for each t, so that x leaves y one value; and x is in the table's domain, since
 * there are no other pairs. y is committed and needs no range of its own: it is one of the table's values.
 *
 * A table that saturates is looked up at x between the ends of its domain, which is committed (`rounding.ts`). Else x is
 * looked up itself, or where an equation defines it, as a copy: what is looked up is read by nothing else.
 *
 * Cost for an entry: 1 committed value and 1 leaf; for the table, once, a leaf and a committed multiplicity each.
 */
import type { Definition, Equation, Range, Table, TensorProgram } from '../../ir/tensor/program.ts';
import type { Builder } from '../builder.ts';
import { clampTensor } from './rounding.ts';
import { whole } from './range.ts';

type Tabulated = Definition & { readonly kind: 'table' };

/** `isPublic`: whether the result is a public output, which is given. */
export function lowerTable(b: Builder, d: Tabulated, table: Table, target: number, isPublic: boolean): void {
  const domain = domainOf(table);
  const saturates = table.saturate && !covers(domain, b.tensors[d.argument].range);
  const argument = saturates ? clampTensor(b, d.argument, domain) : lookedUp(b, d.argument);
  if (!isPublic) b.commit(target);
  b.lookup(target, argument, table);
}

/** For every tensor that is the argument of a table: between what its entries are shown to be by that. */
export function tableBounds(program: TensorProgram, equations: readonly Equation[]): ReadonlyMap<number, Range> {
  const out = new Map<number, Range>();
  for (const { definition: d } of equations) {
    if (d.kind !== 'table') continue;
    const table = program.tables[d.table];
    const domain = domainOf(table);
    if (!table.saturate || covers(domain, program.tensors[d.argument].range)) out.set(d.argument, domain);
  }
  return out;
}

const domainOf = ({ first, values }: Table): Range => ({ lo: first, hi: first + BigInt(values.length) - 1n });

const covers = (outer: Range, inner: Range): boolean => outer.lo <= inner.lo && inner.hi <= outer.hi;

/** A tensor that a lookup may name: one that no equation defines, or a copy of it. */
function lookedUp(b: Builder, id: number): number {
  const { class: c, name, shape, range, span } = b.tensors[id];
  if (c.kind !== 'defined') return id;
  const copy = b.inner(`${name} looked up`, shape, range, span);
  const { terms } = whole(b, id);
  b.evaluate(copy, terms);
  b.define(copy, terms);
  return copy;
}
