/**
 * Indices that are data. The selector of an index tensor j is its one-hot form: S[i, v] = 1 where j[i] = v, else 0. What
 * an index selects is then a sum of products, E[j[i], d] = sum(v) S[i, v] E[v, d] (`rewrite/sums.ts`).
 *
 *   public j   S is known to whoever knows j, and nothing has to be shown
 *   hidden j   S is committed; each entry is 0 or 1 and each row adds up to 1, so that exactly one entry is 1:
 *              S is the one-hot form of some index in [0, size)
 *
 * A secret input is the index that its selector says, j = sum(v) v S[., v]. Whatever else is hidden (an entry of a table, of a
 * source) has a value already: for it that equation is stated, so that S is of no other index. It also shows that the value is an
 * index at all: a commitment to indices only shows that they are numbers of as many bits. So wherever one is read, be it as a
 * number, there is a selector of it (`builder.ts`). What only moves the entries of another index tensor (`origins.ts`) has
 * that one's.
 *
 * Cost for an index below V: V committed bits.
 */
import { variable } from '../../ir/indices/expression.ts';
import type { Tensor, Term } from '../../ir/tensor/program.ts';
import type { Builder } from '../builder.ts';
import { entry, term } from '../expressions.ts';

/** Makes the selector of a declared index tensor. */
export function selectorOf(b: Builder, t: Tensor): number {
  if (t.type?.kind !== 'index') throw new Error(`internal error: ${t.name} is no index tensor`);
  if (t.visibility === 'public') return b.publicSelector(t.id);
  const shape = [...t.shape, t.type.size];
  const range = { lo: 0n, hi: 1n };
  const selector = b.witness(`selector of ${t.name}`, shape, range, t.span, { kind: 'select', of: t.id });
  b.selects(selector, t.id);
  b.boolean(selector);
  const own = entry(selector, shape.length);
  const reduced = [{ name: 'v', size: t.type.size }];
  b.zero(
    `${t.name} selects one`,
    t.shape,
    [{ coefficient: 1n, reduced, guards: [], factors: [own] }, term(-1n)],
    t.span,
  );
  if (t.role !== 'input' || t.file !== undefined)
    b.zero(
      `${t.name} is what its selector selects`,
      t.shape,
      [selected(b, t), term(-1n, entry(t.id, t.shape.length))],
      t.span,
    );
  return selector;
}

/** Defines a secret input of indices by its selector. */
export function defineBySelector(b: Builder, t: Tensor): void {
  b.define(t.id, [selected(b, t)]);
}

/** sum(v) v S[., v] */
function selected(b: Builder, { id, shape, type }: Tensor): Term {
  const length = type?.kind === 'index' ? type.size : 1;
  const v = shape.length;
  return {
    coefficient: 1n,
    reduced: [{ name: 'v', size: length }],
    guards: [],
    factors: [{ tensor: b.views.counting(length), at: [variable(v)] }, entry(b.selector(id), v + 1)],
  };
}
