/** Guards: comparisons of index arithmetic. */
import type { Compare, IndexExpr } from '../tensor/program.ts';
import type { IndexFunction } from './evaluate.ts';
import { indexKey, readsData, variablesOf } from './expression.ts';
import type { Interval } from './interval.ts';

/** Whether a comparison holds between two integers. */
export const comparisons: Readonly<Record<Compare['op'], (left: number, right: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>=': (a, b) => a >= b,
  '>': (a, b) => a > b,
};

/** Each comparison of two functions as a function: written out, since it runs at every point. */
function compared<P>(op: Compare['op'], a: IndexFunction<P>, b: IndexFunction<P>): (at: P) => boolean {
  switch (op) {
    case '<':
      return (at) => a(at) < b(at);
    case '<=':
      return (at) => a(at) <= b(at);
    case '==':
      return (at) => a(at) === b(at);
    case '!=':
      return (at) => a(at) !== b(at);
    case '>=':
      return (at) => a(at) >= b(at);
    case '>':
      return (at) => a(at) > b(at);
  }
}

/** Whether all of them hold, as a function of the point; `compile` makes one of an expression. */
export function guardTest<P>(
  guards: readonly Compare[],
  compile: (e: IndexExpr) => IndexFunction<P>,
): (at: P) => boolean {
  const tests = guards.map((g) => compared(g.op, compile(g.left), compile(g.right)));
  if (tests.length === 1) return tests[0];
  return (at) => tests.every((test) => test(at));
}

const opposites = { '<': '>=', '<=': '>', '==': '!=', '!=': '==', '>=': '<', '>': '<=' } as const;

/** The comparison that holds exactly where `g` does not. */
export const opposite = (g: Compare): Compare => ({ left: g.left, op: opposites[g.op], right: g.right });

/** A key by which a comparison and its opposite are recognised: same `key`, other `sign`. */
export function compareKey(g: Compare): { key: string; sign: boolean } {
  const sign = g.op === '<' || g.op === '==' || g.op === '>';
  const op = sign ? g.op : opposites[g.op];
  return { key: `${indexKey(g.left)} ${op} ${indexKey(g.right)}`, sign };
}

/** Whether bounds show that a comparison holds nowhere. */
export function neverHolds(op: Compare['op'], a: Interval, b: Interval): boolean {
  switch (op) {
    case '<':
      return a.lo >= b.hi;
    case '<=':
      return a.lo > b.hi;
    case '>':
      return a.hi <= b.lo;
    case '>=':
      return a.hi < b.lo;
    case '==':
      return a.lo > b.hi || a.hi < b.lo;
    case '!=':
      return a.lo === a.hi && b.lo === b.hi && a.lo === b.lo;
  }
}

/** Whether bounds show that a comparison holds everywhere. */
export const alwaysHolds = (op: Compare['op'], a: Interval, b: Interval): boolean => neverHolds(opposites[op], a, b);

/** The comparison with both sides changed. */
export const mapGuard = (g: Compare, change: (e: IndexExpr) => IndexExpr): Compare => ({
  ...g,
  left: change(g.left),
  right: change(g.right),
});

/** Both sides of every comparison, in order. */
export const sidesOf = (guards: readonly Compare[]): IndexExpr[] => guards.flatMap((g) => [g.left, g.right]);

export function guardVariables(guards: readonly Compare[], into = new Set<number>()): Set<number> {
  for (const e of sidesOf(guards)) variablesOf(e, into);
  return into;
}

/** Whether a guard is known without data: it reads no index tensor. */
export const isStatic = (g: Compare): boolean => !readsData(g.left) && !readsData(g.right);
