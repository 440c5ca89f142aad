/**
 * Accesses that only pick binary digits: `q[t, h * 8 + j]` with j < 8, `k[s, h div 2, j]`, `x[3, v]`. The multilinear
 * extension of such a view is that of the tensor it views, at a point made of the same digits' coordinates: a claim about
 * the view is a claim about the tensor, without a sumcheck between them.
 */
import { leadsOutside } from '../../ir/gadget/digits.ts';
import type { IndexExpr } from '../../ir/tensor/program.ts';
import type { DigitSource } from '../../ir/gadget/program.ts';

const bitsFor = (length: number): number => (length <= 1 ? 0 : 32 - Math.clz32(length - 1));

/**
 * For each axis of the viewed tensor its digits, most significant first, or undefined if the view is not of this kind. It
 * is if every digit is a digit of a variable or known, none is used twice, and variables beyond their length (where the
 * view is 0) lead outside the viewed tensor.
 */
export function digitsOf(
  shape: readonly number[],
  of: readonly number[],
  at: readonly IndexExpr[],
): DigitSource[][] | undefined {
  const axes: DigitSource[][] = [];
  const used = new Set<string>();
  for (const [axis, e] of at.entries()) {
    const digits = lowFirst(e, shape);
    const bits = bitsFor(of[axis]);
    if (!digits || digits.slice(bits).some((d) => d !== 0)) return undefined;
    const own = Array.from({ length: bits }, (_, k) => digits[k] ?? 0);
    for (const d of own) {
      if (typeof d === 'number') continue;
      const key = `${d.variable}:${d.bit}`;
      if (used.has(key)) return undefined;
      used.add(key);
    }
    axes.push(own.reverse());
  }
  const inside = shape.every((length, v) => 2 ** bitsFor(length) === length || leadsOutside(axes, of, v, length));
  return inside ? axes : undefined;
}

/** The digits of an index expression, least significant first, if they are digits of its variables or known. */
function lowFirst(e: IndexExpr, shape: readonly number[]): DigitSource[] | undefined {
  switch (e.kind) {
    case 'const':
      return e.value < 0 ? undefined : constantDigits(e.value);
    case 'var':
      return Array.from({ length: bitsFor(shape[e.var]) }, (_, bit) => ({ variable: e.var, bit }));
    case 'mul': {
      const [factor, other] = e.left.kind === 'const' ? [e.left, e.right] : [e.right, e.left];
      if (factor.kind !== 'const' || !isPower(factor.value)) return undefined;
      const digits = lowFirst(other, shape);
      return digits && [...Array.from({ length: Math.log2(factor.value) }, () => 0 as const), ...digits];
    }
    case 'div':
    case 'mod': {
      if (!isPower(e.by)) return undefined;
      const digits = lowFirst(e.left, shape);
      return e.kind === 'div' ? digits?.slice(Math.log2(e.by)) : digits?.slice(0, Math.log2(e.by));
    }
    case 'add': {
      const [a, b] = [lowFirst(e.left, shape), lowFirst(e.right, shape)];
      if (!a || !b) return undefined;
      const out: DigitSource[] = [];
      for (let k = 0; k < Math.max(a.length, b.length); k++) {
        const [x, y] = [a[k] ?? 0, b[k] ?? 0];
        if (x !== 0 && y !== 0) return undefined;
        out.push(x === 0 ? y : x);
      }
      return out;
    }
    default:
      return undefined;
  }
}

const isPower = (n: number): boolean => n >= 1 && Number.isInteger(Math.log2(n));

function constantDigits(n: number): DigitSource[] {
  const out: DigitSource[] = [];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) out.push(rest % 2 === 1 ? 1 : 0);
  return out;
}
