/** Index arithmetic at run time: the entries a view takes, and the 0/1 values of guards. */
import type { DigitSource } from '../../compiler/gadget/program.ts';
import type { Compare, IndexExpr } from '../../compiler/tensor/program.ts';

/** @throws Error for an entry of a tensor: programs that are proved have index arithmetic only. */
export function evaluateIndex(e: IndexExpr, variables: readonly number[]): number {
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'var':
      return variables[e.var];
    case 'add':
      return evaluateIndex(e.left, variables) + evaluateIndex(e.right, variables);
    case 'sub':
      return evaluateIndex(e.left, variables) - evaluateIndex(e.right, variables);
    case 'mul':
      return evaluateIndex(e.left, variables) * evaluateIndex(e.right, variables);
    case 'div':
      return Math.floor(evaluateIndex(e.left, variables) / e.by);
    case 'mod': {
      const rest = evaluateIndex(e.left, variables) % e.by;
      return rest < 0 ? rest + e.by : rest;
    }
    case 'entry':
      throw new Error('internal error: an index taken from a tensor');
  }
}

const comparisons: Readonly<Record<Compare['op'], (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>=': (a, b) => a >= b,
  '>': (a, b) => a > b,
};

export const guardsHold = (guards: readonly Compare[], variables: readonly number[]): boolean =>
  guards.every((g) => comparisons[g.op](evaluateIndex(g.left, variables), evaluateIndex(g.right, variables)));

/** Calls `visit` with every index tuple of a shape, row-major. The tuple is reused. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], position: number) => void,
): void {
  const index = shape.map(() => 0);
  const size = shape.reduce((n, d) => n * d, 1);
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let j = shape.length - 1; j >= 0; j--) {
      if (++index[j] < shape[j]) break;
      index[j] = 0;
    }
  }
}

/** For every entry of a view its position in the row-major tensor it views, or -1 where it is 0. */
export function viewMap(
  shape: readonly number[],
  of: readonly number[],
  at: readonly IndexExpr[],
  guards: readonly Compare[],
): Int32Array {
  const map = new Int32Array(shape.reduce((n, d) => n * d, 1));
  forEachIndex(shape, (index, position) => {
    map[position] = guardsHold(guards, index) ? flatten(of, at, index) : -1;
  });
  return map;
}

/** The same for a view by digits. */
export function digitMap(
  shape: readonly number[],
  of: readonly number[],
  axes: readonly (readonly DigitSource[])[],
): Int32Array {
  const map = new Int32Array(shape.reduce((n, d) => n * d, 1));
  forEachIndex(shape, (index, position) => {
    let at = 0;
    for (const [j, digits] of axes.entries()) {
      let i = 0;
      for (const d of digits) i = 2 * i + (typeof d === 'number' ? d : (index[d.variable] >> d.bit) & 1);
      if (i >= of[j]) {
        at = -1;
        break;
      }
      at = at * of[j] + i;
    }
    map[position] = at;
  });
  return map;
}

/** Row-major position, or -1 outside the shape. */
function flatten(shape: readonly number[], at: readonly IndexExpr[], variables: readonly number[]): number {
  let position = 0;
  for (const [j, e] of at.entries()) {
    const i = evaluateIndex(e, variables);
    if (i < 0 || i >= shape[j]) return -1;
    position = position * shape[j] + i;
  }
  return position;
}

export function maskValues(shape: readonly number[], guards: readonly Compare[]): Int16Array {
  const out = new Int16Array(shape.reduce((n, d) => n * d, 1));
  forEachIndex(shape, (index, position) => {
    out[position] = guardsHold(guards, index) ? 1 : 0;
  });
  return out;
}
