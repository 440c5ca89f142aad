/**
 * Emits sumcheck rounds and elementwise maps for an expression: the skeleton is here, the summand comes from the tree.
 */
import type { SumcheckPoint } from '../../expression.ts';
import { f64x2, i32, type I32 } from '../emit/code.ts';
import { WIDE_TERMS, type Field, type Pair } from '../field/field.ts';
import { ZERO, type ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type Code, type ModuleBuilder } from '../emit/module.ts';
import type { Pairs } from '../emit/pairs.ts';
import { multiplesAt } from './scalar.ts';
import { ARGUMENTS, integerAt, readTable, splitIntegers, tablesOf, valueAt, type TableKind } from './tables.ts';
import { constantCount, leading, linearSum, tableCount, type Expression, type LinearSum } from '../../expression.ts';

/** Emits expressions over pairs, keeping track of slack; sums of products are reduced once. */
class Evaluator {
  readonly #c: Code;
  readonly #field: Field;
  readonly #tables: readonly Pair[];
  readonly #constants: readonly Pair[];

  constructor(c: Code, field: Field, tables: readonly Pair[], constants: readonly Pair[]) {
    this.#c = c;
    this.#field = field;
    this.#tables = tables;
    this.#constants = constants;
  }

  value(e: Expression): Pair {
    const { products, rest } = this.#terms(e);
    // Products take a rest of few elements off on their way to normal form, which costs next to nothing.
    if (rest !== undefined && rest.slack <= 2 && products.length > 0 && products.length <= WIDE_TERMS)
      return this.#field.sumOfProducts(this.#c, products, { normal: true, minus: this.#negative(rest) });
    let sum = rest;
    for (let start = 0; start < products.length; start += WIDE_TERMS)
      sum = this.#linear(
        this.#field.sumOfProducts(this.#c, products.slice(start, start + WIDE_TERMS), { normal: true }),
        sum,
        false,
      );
    return sum!;
  }

  /** A sum of multiples whose factors' `multiples` are known. */
  linear({ multiples, rest }: LinearSum, multiplesOf: (constant: number) => readonly Pair[]): Pair {
    const terms = multiples.map(({ constant, of, negative }) => {
      const sum = this.value(of);
      const a = sum.slack <= this.#field.maximumSlack ? sum : this.#field.normalize(this.#c, sum);
      return { a: negative ? this.#negative(a) : a, multiples: multiplesOf(constant) };
    });
    const sum = rest.reduce<Pair | undefined>(
      (s, { of, negative }) => this.#linear(s, this.value(of), negative),
      undefined,
    );
    const minus = sum && this.#negative(sum.slack <= 2 ? sum : this.#field.normalize(this.#c, sum));
    return this.#field.sumOfMultiples(this.#c, terms, minus);
  }

  normal(e: Expression): Pair {
    const v = this.value(e);
    return v.slack <= 1 ? v : this.#field.normalize(this.#c, v);
  }

  /** An expression as a sum of products and one linear rest. */
  #terms(e: Expression): { readonly products: readonly (readonly [Pair, Pair])[]; readonly rest: Pair | undefined } {
    switch (e.kind) {
      case 'table':
        return { products: [], rest: this.#tables[e.index] };
      case 'constant':
        return { products: [], rest: this.#constants[e.index] };
      case 'mul':
        return {
          products: [this.#factors(this.value(e.left), e.left === e.right ? undefined : this.value(e.right))],
          rest: undefined,
        };
      default: {
        const left = this.#terms(e.left);
        const right = this.#terms(e.right);
        const negate = e.kind === 'sub';
        const products = right.products.map(([a, b]) =>
          negate ? ([this.#negative(a), b] as const) : ([a, b] as const),
        );
        return { products: [...left.products, ...products], rest: this.#linear(left.rest, right.rest, negate) };
      }
    }
  }

  #negative(a: Pair): Pair {
    return this.#field.scale(this.#c, a, -1);
  }

  #linear(left: Pair | undefined, right: Pair | undefined, negate: boolean): Pair | undefined {
    if (right === undefined) return left;
    if (left === undefined) return negate ? this.#negative(right) : right;
    const sum = negate ? this.#field.sub(this.#c, left, right) : this.#field.add(this.#c, left, right);
    return sum.slack > this.#field.maximumSlack ? this.#field.normalize(this.#c, sum) : sum;
  }

  /** Makes a product exact by normalizing the larger factors first. */
  #factors(a: Pair, b: Pair | undefined): readonly [Pair, Pair] {
    const fits = (x: Pair, y: Pair) => x.slack * y.slack <= this.#field.maximumSlack;
    const normal = (x: Pair) => this.#field.normalize(this.#c, x);
    if (b === undefined) {
      const x = fits(a, a) ? a : normal(a);
      return [x, x];
    }
    if (fits(a, b)) return [a, b];
    const [x, y] = a.slack >= b.slack ? [normal(a), b] : [a, normal(b)];
    return fits(x, y) ? [x, y] : [normal(x), normal(y)];
  }
}

/**
 * Exports `round(target, arguments, from, to)`: for each point a pair of elements at target, whose sum is the sum over from <= j < to.
 *
 * Tables may be of integers where the expression is a product of tables. The product of these integers has to be at most 2^50 at every point; as it is not in
 * Montgomery form, all sums are 1 / R times what they stand for.
 */
export function emitRound(
  m: ModuleBuilder,
  pairs: Pairs,
  scratch: ScratchPlan,
  expression: Expression,
  points: readonly SumcheckPoint[],
  kinds: readonly TableKind[],
): void {
  const { field } = pairs;
  const each = (bytes: number) => points.map(() => scratch.allocate(bytes));
  const [innerWide, outerWide, innerSum, outerSum] = [
    each(field.wideBytes),
    each(field.wideBytes),
    each(field.pairBytes),
    each(field.pairBytes),
  ];

  m.function({ name: 'round', params: ['i32', 'i32', 'i32', 'i32'] }, (c, target, args, from, to) => {
    const argument = (i: number) => c.let(i32.load(args, 4 * i));
    const [constantsAt, half] = [argument(ARGUMENTS.constants), argument(ARGUMENTS.half)];
    const [outer, outerLength] = [argument(ARGUMENTS.outer), argument(ARGUMENTS.outerLength)];
    const [inner, innerLength] = [argument(ARGUMENTS.inner), argument(ARGUMENTS.innerLength)];
    const [innerBits, one] = [argument(ARGUMENTS.innerBits), argument(ARGUMENTS.one)];
    const tables = tablesOf(c, args, kinds.slice(0, tableCount(expression)));

    const zero = (offsets: readonly number[], bytes: number) => {
      for (const at of offsets) c.fill(i32.add(scratchBase, at), 0, bytes);
    };
    const flush = (wides: readonly number[], into: readonly number[]) =>
      wides.forEach((wide, k) => {
        const reduced = field.reduceWide(c, i32.add(scratchBase, wide));
        const before = field.load(c, scratchBase, into[k]);
        const sum = field.add(c, before, reduced);
        const normal = field.normalize(c, sum);
        field.store(c, scratchBase, normal, into[k]);
        c.fill(i32.add(scratchBase, wide), 0, field.wideBytes);
        field.release(c, reduced, before, sum, normal);
      });

    const j = c.let(from);
    const outerCount = c.let(i32.const(0));
    zero(outerWide, field.wideBytes);
    zero(outerSum, field.pairBytes);
    c.while(
      () => i32.lt_s(j, to),
      () => {
        const o = c.let(i32.shr_s(j, innerBits));
        const end = c.let(i32.shl(i32.add(o, 1), innerBits));
        c.set(end, i32.select(end, to, i32.lt_s(end, to)));
        const start = c.let(i32.shl(o, innerBits));
        const innerCount = c.let(i32.const(0));
        zero(innerWide, field.wideBytes);
        zero(innerSum, field.pairBytes);
        c.while(
          () => i32.lt_s(j, end),
          () => {
            const lohi = tables.map((t) => {
              const lo = readTable(c, pairs, t, j);
              // At 0 alone the upper half is not read.
              return [lo, points.every((x) => x === 0) ? lo : readTable(c, pairs, t, j, half)] as const;
            });
            const [integers, elements] = splitIntegers(expression, kinds);
            const weight = weightAt(
              c,
              pairs,
              { inner, innerLength, one },
              i32.sub(j, start),
              i32.lt_s(i32.add(j, 1), end),
            );
            const constants = constantsOf(c, field, constantsAt, constantCount(expression));
            points.forEach((x, k) => {
              const values = lohi.map(([lo, hi], t) => (integers.includes(t) ? lo : valueAt(c, field, lo, hi, x)));
              const wide = i32.add(scratchBase, innerWide[k]);
              const e = elements && (x === 'inf' ? leading(elements) : elements);
              const value = e && new Evaluator(c, field, values, constants).normal(e);
              if (integers.length === 0) return field.addProduct(c, wide, weight, value!);
              const limb = integers.map((t) => integerAt(c, field, lohi[t], x)).reduce((a, b) => f64x2.mul(a, b));
              const product = { limbs: [c.let(limb)], slack: 1 };
              field.addProduct(c, wide, product, value ? field.mul(c, weight, value, { normal: true }) : weight);
            });
            c.inc(innerCount);
            c.if(i32.eq(innerCount, WIDE_TERMS), () => {
              flush(innerWide, innerSum);
              c.set(innerCount, i32.const(0));
            });
            c.inc(j, 2);
          },
        );
        // The last pair of a block may have gone one beyond.
        c.set(j, end);
        flush(innerWide, innerSum);
        const beyond = i32.select(i32.add(outer, i32.mul(o, field.bytes)), ZERO, i32.lt_s(o, outerLength));
        const factor = field.splat(c, c.let(i32.select(beyond, one, outer)));
        points.forEach((_, k) =>
          field.addProduct(c, i32.add(scratchBase, outerWide[k]), field.load(c, scratchBase, innerSum[k]), factor),
        );
        c.inc(outerCount);
        c.if(i32.eq(outerCount, WIDE_TERMS), () => {
          flush(outerWide, outerSum);
          c.set(outerCount, i32.const(0));
        });
      },
    );
    flush(outerWide, outerSum);
    points.forEach((_, k) => {
      const address = c.let(i32.add(target, 2 * k * field.bytes));
      field.scatter(c, address, i32.add(address, field.bytes), field.load(c, scratchBase, outerSum[k]));
    });
  });
}

/**
 * Exports `map(arguments, from, to)`: target[i] = expression at entry i. The constants of a linear sum come as their
 * multiples, of which the last is the constant.
 */
export function emitMap(m: ModuleBuilder, pairs: Pairs, expression: Expression, kinds: readonly TableKind[]): void {
  const { field } = pairs;
  m.function({ name: 'map', params: ['i32', 'i32', 'i32'] }, (c, args, from, to) => {
    const target = c.let(i32.load(args, 4 * ARGUMENTS.target));
    const constantsAt = c.let(i32.load(args, 4 * ARGUMENTS.constants));
    const tables = tablesOf(c, args, kinds.slice(0, tableCount(expression)));
    pairs.each(c, from, to, (i) => {
      const values = tables.map((t) => readTable(c, pairs, t, i));
      const sum = linearSum(expression);
      const size = (sum ? field.n : 1) * field.bytes;
      const constants = Array.from({ length: constantCount(expression) }, (_, k) =>
        field.splat(c, constantsAt, (k + 1) * size - field.bytes),
      );
      const evaluator = new Evaluator(c, field, values, constants);
      const value = sum
        ? evaluator.linear(sum, (k) => multiplesAt(field, constantsAt, k * size))
        : evaluator.normal(expression);
      pairs.write(c, target, i, to, value);
    });
  });
}

const constantsOf = (c: Code, field: Field, address: I32, count: number): Pair[] =>
  Array.from({ length: count }, (_, i) => field.splat(c, address, i * field.bytes));

/** inner[i], inner[i + 1] or ones; lane 1 is 0 unless `second`. */
function weightAt(
  c: Code,
  pairs: Pairs,
  { inner, innerLength, one }: { readonly inner: I32; readonly innerLength: I32; readonly one: I32 },
  i: I32,
  second: I32,
): Pair {
  const index = c.let(i);
  const [first, next] = pairs.addresses(c, inner, index, innerLength);
  c.set(first, i32.select(first, one, inner));
  c.set(next, i32.select(i32.select(next, one, inner), ZERO, second));
  return pairs.field.gather(c, first, next);
}
