/**
 * Generates arithmetic modulo a prime on pairs: each v128 holds one limb of two independent field elements.
 *
 * An element is n doubles, the digits of an integer v = sum d_i 2^(w i). It stands for v / R mod p, R = 2^(w n) (Montgomery 1985).
 * "Normal" means |d_i| <= 2^(w-1) for i < n - 1 and |v| <= p/2 (1 + 2^-12); then 0 mod p is all zeros. Sums and differences are taken digit by
 * digit without carries. Their slack, how many normal elements they are made of, is known when code is generated, and a product of
 * operands so large that a partial product could be inexact is refused then.
 *
 */
import { f64x2, i64x2, v128, type Int, type V128 } from '../emit/code.ts';
import { Columns, type Limb } from './columns.ts';
import type { Constants } from '../emit/constants.ts';
import type { Code } from '../emit/module.ts';
import { balancedDigits, reductionBlocks, type ReductionBlock } from './digits.ts';
import { inverse, modulo } from '../../../field/spec.ts';

/** A pair of elements, each the sum of at most `slack` normal ones. */
export interface Pair {
  readonly limbs: readonly V128[];
  readonly slack: number;
}

/**
 * Products that may be summed before they are reduced: each adds to a column at most n times 2^51 and 2^50, so that columns stay below 2^61.
 */
export const WIDE_TERMS = 64;

export class Field {
  readonly p: bigint;
  readonly w: number;
  readonly n: number;
  /** Montgomery's R. */
  readonly R: bigint;
  /** Bytes of an element in a vector, of a pair in scratch memory, and of a wide sum of products there. */
  readonly bytes: number;
  readonly pairBytes: number;
  readonly wideBytes: number;
  /** Products of slacks up to this are exact. */
  readonly maximumSlack: number;
  readonly #k: Constants;
  readonly #digits: readonly number[];
  /** How many columns are reduced at once, but for the last one; see `reductionBlocks`. */
  readonly #blocks: readonly ReductionBlock[];
  readonly #minusInverse: number;
  /** p / 2^(w (n - 1)). */
  readonly #top: number;

  /** @throws RangeError when n limbs of w bits would not give exact arithmetic. */
  constructor(p: bigint, w: number, n: number, constants: Constants) {
    const base = 1n << BigInt(w);
    const k = modulo(-inverse(p, base), base);
    this.p = p;
    this.w = w;
    this.n = n;
    this.R = 1n << BigInt(w * n);
    this.bytes = 8 * n;
    this.pairBytes = 16 * n;
    this.wideBytes = 16 * (2 * n + 1);
    this.#k = constants;
    this.#digits = balancedDigits(p, w, n).map(Number);
    this.#blocks = reductionBlocks(p, w, n);
    this.#minusInverse = Number(BigInt.asIntN(w, k));
    this.#top = Number(p >> BigInt(w * (n - 1) - 64)) / 2 ** 64;
    // |x y| < 2^(51+w) for digits of 2^(w-1), quotient digits of 2^(w-1) and top digits of p/2 and p.
    const top = Math.max(this.#top, ...this.#blocks.map((block) => Math.abs(block.digits[n - 1])));
    this.maximumSlack = 2 ** (53 - w) * Math.min(1, (2 ** (w - 1) / (this.#top / 2)) ** 2);
    // Quotients are estimated from the top digit with an error of 2^11, which must be far below p's own.
    if (this.#top < 2 ** 24) throw new RangeError(`${n} limbs of ${w} bits leave too little of p in the top one`);
    if (w > 51 || w < 44 || top >= 2 ** 51 || p > this.R) throw new RangeError(`${n} limbs of ${w} bits are not exact`);
  }

  /** a b + c where a b is exact, so that one rounding or two make no difference. */
  multiplyAdd(a: V128, b: V128, c: V128): V128 {
    return this.#k.fused ? f64x2.relaxed_madd(a, b, c) : f64x2.add(f64x2.mul(a, b), c);
  }

  /** The element v in Montgomery form as digits. */
  digits(v: bigint): number[] {
    let m = modulo(v * this.R, this.p);
    if (2n * m > this.p) m -= this.p;
    return balancedDigits(m, this.w, this.n).map(Number);
  }

  /** The element v in both lanes, from the constants. */
  constant(v: bigint): Pair {
    return { limbs: this.digits(v).map((d) => this.#k.double(d)), slack: 1 };
  }

  /** The integer v itself (not in Montgomery form) in both lanes. */
  integer(v: bigint): Pair {
    return { limbs: balancedDigits(v, this.w, this.n).map((d) => this.#k.double(Number(d))), slack: 1 };
  }

  #make(c: Code, limb: (i: number) => V128, slack = 1, length = this.n): Pair {
    if (slack * 2 ** (this.w - 1) > 2 ** 53) throw new RangeError(`digits of slack ${slack} would not be exact`);
    return { limbs: Array.from({ length }, (_, i) => c.let(limb(i))), slack };
  }

  /** A pair in scratch memory, lane by lane. */
  load(c: Code, address: Int, offset = 0): Pair {
    return this.#make(c, (i) => v128.load(address, offset + 16 * i));
  }

  /** The elements of vectors at two addresses. */
  gather(c: Code, first: Int, second: Int, offset = 0): Pair {
    return this.gatherStrided(c, first, second, 8, offset);
  }

  /** As `gather`, with the limbs `stride` bytes apart. */
  gatherStrided(c: Code, first: Int, second: Int, stride: number, offset = 0): Pair {
    return this.#make(c, (i) => {
      const at = offset + stride * i;
      return v128.load64_high(v128.load64_zero(first, at), second, at);
    });
  }

  /** The element at one address in both lanes. */
  splat(c: Code, address: Int, offset = 0): Pair {
    return this.#make(c, (i) => v128.load64_splat(address, offset + 8 * i));
  }

  store(c: Code, address: Int, x: Pair, offset = 0): void {
    x.limbs.forEach((limb, i) => c.store128(address, limb, offset + 16 * i));
  }

  scatter(c: Code, first: Int, second: Int, x: Pair, offset = 0): void {
    x.limbs.forEach((limb, i) => {
      c.storeLane(first, limb, 0, offset + 8 * i);
      c.storeLane(second, limb, 1, offset + 8 * i);
    });
  }

  /** Frees the locals of pairs that were computed (not constants). */
  release(c: Code, ...pairs: readonly Pair[]): void {
    for (const { limbs } of pairs) c.release(...(limbs as readonly Limb[]));
  }

  add(c: Code, a: Pair, b: Pair): Pair {
    return this.#make(c, (i) => f64x2.add(a.limbs[i], b.limbs[i]), a.slack + b.slack);
  }

  sub(c: Code, a: Pair, b: Pair): Pair {
    return this.#make(c, (i) => f64x2.sub(a.limbs[i], b.limbs[i]), a.slack + b.slack, a.limbs.length);
  }

  /** a times a small integer. */
  scale(c: Code, a: Pair, by: number): Pair {
    return this.#make(c, (i) => f64x2.mul(a.limbs[i], this.#k.double(by)), a.slack * Math.abs(by), a.limbs.length);
  }

  /** Flips the signs where the mask's bits 63 are set (other bits must be zero). */
  flip(c: Code, a: Pair, mask: V128): Pair {
    return this.#make(c, (i) => v128.xor(a.limbs[i], mask), a.slack);
  }

  select(c: Code, ifOne: Pair, ifZero: Pair, mask: V128): Pair {
    const slack = Math.max(ifOne.slack, ifZero.slack);
    return this.#make(c, (i) => v128.bitselect(ifOne.limbs[i], ifZero.limbs[i], mask), slack);
  }

  /** All ones in the lanes where a normal element is zero. */
  isZero(c: Code, a: Pair): V128 {
    const zero = this.#k.bits(0n);
    return c.let(a.limbs.map((limb) => f64x2.eq(limb, zero)).reduce((x, y) => v128.and(x, y)));
  }

  /**
   * a b / R - minus, in new locals. With `normal` the result is normal; without, it is as large as two normal elements, which is allowed where
   * R is far above p. The same object twice is a square. Higher limbs of `a` that are zero may be left out.
   */
  mul(c: Code, a: Pair, b: Pair, options: { readonly normal?: boolean; readonly minus?: Pair } = {}): Pair {
    return this.sumOfProducts(c, [[a, b]], options);
  }

  /** (sum of a b) / R - minus, as `mul`, with one reduction. */
  sumOfProducts(
    c: Code,
    terms: readonly (readonly [Pair, Pair])[],
    { normal = this.#needsNormal, minus }: { readonly normal?: boolean; readonly minus?: Pair } = {},
  ): Pair {
    const { n } = this;
    const columns = new Columns(c, this.#k, this.w, 2 * n);
    for (const [a, b] of terms) this.#checkSlack(a, b);
    if (terms.length > WIDE_TERMS) throw new RangeError(`a sum of ${terms.length} products could overflow its columns`);
    // A square has each product of different digits once, with one factor doubled, if that is exact.
    const squares = terms.map(([a, b]) => a === b && 2 * a.slack * b.slack <= this.maximumSlack);
    const doubled = terms.map(([a], t) => (squares[t] ? this.#doubled(c, columns, a) : []));
    for (let i = 0; i < n; i++) {
      // Row i of every product, then the reduction of column i, which is then complete: few columns are alive at a time.
      terms.forEach(([a, b], t) => {
        if (i >= a.limbs.length) return;
        for (let j = squares[t] ? i : 0; j < n; j++)
          columns.product(i + j, squares[t] && j > i ? doubled[t][i] : a.limbs[i], b.limbs[j]);
      });
      this.#reduceColumns(columns, i);
    }
    minus?.limbs.forEach((limb, i) => columns.subDigit(n + i, limb));
    // In units of p: the products, the multiples of M and p added, what is subtracted.
    const slack = terms.reduce((sum, [a, b]) => sum + a.slack * b.slack, 0);
    const bound = (slack * 0.26 * Number(this.p)) / Number(this.R) + 1 + 0.51 * (minus?.slack ?? 0);
    const out = this.#finish(c, columns, n, normal ? Math.ceil(bound) : 0, false);
    columns.emit();
    return { limbs: out, slack: normal ? 1 : 2 * bound };
  }

  /**
   * What `sumOfMultiples` takes for the factor x: x 2^(w (i + 1 - n)) for i < n, as elements. In Montgomery form they are the residues of
   * x 2^(w (i + 1)), so that a digit i times the i-th of them is one digit longer than p, and one step of a reduction is enough.
   */
  multiples(x: bigint): bigint[] {
    const step = inverse(1n << BigInt(this.w), this.p);
    const out = [x];
    for (let i = 1; i < this.n; i++) out.unshift(modulo(out[0] * step, this.p));
    return out;
  }

  /**
   * sum of x a - minus, normal, in new locals, for pairs `a` and the `multiples` of factors x: two thirds of the cost of `sumOfProducts`. Higher limbs
   * of `a` that are zero may be left out.
   */
  sumOfMultiples(
    c: Code,
    terms: readonly { readonly a: Pair; readonly multiples: readonly Pair[] }[],
    minus?: Pair,
  ): Pair {
    const { n } = this;
    if (terms.length > WIDE_TERMS) throw new RangeError(`a sum of ${terms.length} products could overflow its columns`);
    const columns = new Columns(c, this.#k, this.w, n + 1);
    for (let j = 0; j < n; j++) {
      for (const { a, multiples } of terms)
        a.limbs.forEach((digit, i) => columns.product(j, digit, multiples[i].limbs[j]));
      if (j > 0) continue;
      // As the last step of `sumOfProducts`.
      const q = columns.local();
      columns.residue(0, q);
      columns.lowProduct(q, q, this.#k.double(this.#minusInverse));
      this.#digits.forEach((digit, k) => columns.product(k, q, this.#k.double(digit)));
      columns.carryExact(0);
    }
    minus?.limbs.forEach((limb, i) => columns.subDigit(1 + i, limb));
    for (const { a } of terms) this.#checkSlack(a, { limbs: [], slack: 1 });
    // In units of p: n digits of 2^(w-1) times p/2, the multiple of p added, what is subtracted.
    const slack = terms.reduce((sum, { a }) => sum + a.slack, 0);
    const out = this.#finish(c, columns, 1, Math.ceil(0.26 * n * slack + 1 + 0.51 * (minus?.slack ?? 0)), false);
    columns.emit();
    return { limbs: out, slack: 1 };
  }

  /** Whether products must be brought back to p/2 for their own digits to fit. */
  get #needsNormal(): boolean {
    return this.#top >= 2 ** (this.w - 2);
  }

  #checkSlack(a: Pair, b: Pair): void {
    if (a.slack * b.slack > this.maximumSlack)
      throw new RangeError(`a product of operands with slack ${a.slack} and ${b.slack} would not be exact`);
  }

  #doubled(c: Code, columns: Columns, a: Pair): Limb[] {
    return a.limbs.map((limb) => {
      const twice = columns.local();
      columns.step(() => c.set(twice, f64x2.add(limb, limb)));
      return twice;
    });
  }

  /** Once columns up to i have all their products: makes those of the block that ends at i vanish by adding a multiple of p. */
  #reduceColumns(columns: Columns, i: number): void {
    const { n } = this;
    if (i === n - 1) {
      const q = columns.local();
      columns.residue(i, q);
      columns.lowProduct(q, q, this.#k.double(this.#minusInverse));
      this.#digits.forEach((digit, j) => columns.product(i + j, q, this.#k.double(digit)));
      columns.carryExact(i);
      return;
    }
    const block = this.#blocks.find(({ start, size }) => start + size === i + 1);
    if (block === undefined) return;
    const quotients = Array.from({ length: block.size }, () => columns.local());
    quotients.forEach((q, k) => columns.carry(block.start + k, q));
    quotients.forEach((q, k) =>
      block.digits.forEach((digit, j) => columns.product(i + 1 + k + j, q, this.#k.double(digit))),
    );
  }

  /**
   * Records the digits of columns start .. start + n - 1 (and one more if `extra`), less the multiple of p that makes them normal when that
   * multiple may be as large as `multiple` (0: leave it).
   */
  #finish(c: Code, columns: Columns, start: number, multiple: number, extra: boolean): Limb[] {
    const { n } = this;
    const end = start + n - 1;
    if (multiple > 0) {
      const k = columns.local();
      columns.estimate(end, k);
      if (extra) {
        const high = columns.local();
        columns.exact(end + 1, high);
        columns.set(k, f64x2.add(k, f64x2.mul(high, this.#k.double(2 ** this.w))));
      }
      columns.set(k, f64x2.nearest(f64x2.mul(k, this.#k.double(1 / this.#top))));
      this.#digits.forEach((digit, j) => {
        const minus = this.#k.double(-digit);
        if (multiple * Math.abs(digit) < 2 ** 51) columns.smallProduct(start + j, k, minus);
        else columns.product(start + j, k, minus);
      });
    }
    if (extra) columns.add(end, () => i64x2.shl(columns.at(end + 1), this.w));
    const out = Array.from({ length: n }, () => c.local('v128'));
    for (let j = 0; j < n - 1; j++) columns.carry(start + j, out[j]);
    columns.last(end, out[n - 1]);
    return out;
  }

  /** Wide columns in scratch memory += a b. At most WIDE_TERMS times before `reduceWide`. Higher limbs of `a` that are zero may be left out. */
  addProduct(c: Code, wide: Int, a: Pair, b: Pair): void {
    this.#checkSlack(a, b);
    const { n } = this;
    const rows = a.limbs.length;
    const columns = new Columns(c, this.#k, this.w, 2 * n, (i) => v128.load(wide, 16 * i));
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < n; j++) columns.product(i + j, a.limbs[i], b.limbs[j]);
      columns.step(() => c.store128(wide, columns.at(i), 16 * i));
    }
    for (let i = rows; i < rows + n; i++) columns.step(() => c.store128(wide, columns.at(i), 16 * i));
    columns.emit();
  }

  /** Wide columns / R, normal. */
  reduceWide(c: Code, wide: Int): Pair {
    const { n } = this;
    const columns = new Columns(c, this.#k, this.w, 2 * n, (i) => v128.load(wide, 16 * i));
    for (let i = 0; i < n; i++) this.#reduceColumns(columns, i);
    const out = this.#finish(c, columns, n, 2 ** 20, false);
    columns.emit();
    return { limbs: out, slack: 1 };
  }

  /**
   * The normal form of an integer given by `parts`: for each digit its lower w - ceil(w/2) bits' and its upper bits' sums, doubles below 2^51, the
   * upper ones of weight 2^split (see `splitBits`).
   */
  joinHalves(c: Code, halves: readonly V128[]): Pair {
    const { n } = this;
    const upper = this.w - this.splitBits;
    const columns = new Columns(c, this.#k, this.w, n + 1);
    const toInteger = (x: V128): V128 =>
      i64x2.sub(f64x2.add(x, this.#k.double(1.5 * 2 ** 52)), this.#k.double(1.5 * 2 ** 52));
    const rounder = this.#k.double(1.5 * 2 ** (52 + upper));
    for (let i = 0; i < n; i++) {
      const [low, high] = [halves[2 * i], halves[2 * i + 1]];
      const carried = columns.local();
      columns.set(carried, f64x2.sub(f64x2.add(high, rounder), rounder));
      columns.add(i, () => toInteger(low));
      columns.add(i, () => i64x2.shl(toInteger(f64x2.sub(high, carried)), this.splitBits));
      columns.add(i + 1, () => toInteger(f64x2.mul(carried, this.#k.double(2 ** -upper))));
    }
    const out = this.#finish(c, columns, 0, 2 ** 40, true);
    columns.emit();
    return { limbs: out, slack: 1 };
  }

  /** Weight, in bits, of the upper half of a digit: digit = low + 2^splitBits high. */
  get splitBits(): number {
    return Math.floor(this.w / 2);
  }

  /** Halves of the digits of a normal element, balanced: 2 n doubles. */
  splitHalves(c: Code, a: Pair): V128[] {
    const rounder = this.#k.double(1.5 * 2 ** (52 + this.splitBits));
    return a.limbs.flatMap((limb) => {
      const high = c.let(f64x2.sub(f64x2.add(limb, rounder), rounder));
      const low = c.let(f64x2.sub(limb, high));
      c.set(high, f64x2.mul(high, this.#k.double(2 ** -this.splitBits)));
      return [low, high];
    });
  }

  /** The normal form of a sum of normal elements, digits below 2^52. */
  normalize(c: Code, a: Pair): Pair {
    const out = a.limbs.map((limb) => c.let(limb));
    const multiple = c.local('v128');
    this.#carryDigits(c, out);
    c.set(multiple, f64x2.nearest(f64x2.mul(out.at(-1)!, this.#k.double(1 / this.#top))));
    this.#digits.forEach((digit, j) => {
      c.set(out[j], f64x2.add(out[j], f64x2.mul(multiple, this.#k.double(-digit))));
    });
    this.#carryDigits(c, out);
    c.release(multiple);
    return { limbs: out, slack: 1 };
  }

  #carryDigits(c: Code, digits: readonly Limb[]): void {
    const rounder = this.#k.double(1.5 * 2 ** (52 + this.w));
    const carried = c.local('v128');
    for (let j = 0; j < this.n - 1; j++) {
      c.set(carried, f64x2.sub(f64x2.add(digits[j], rounder), rounder));
      c.set(digits[j], f64x2.sub(digits[j], carried));
      c.set(digits[j + 1], f64x2.add(digits[j + 1], f64x2.mul(carried, this.#k.double(2 ** -this.w))));
    }
    c.release(carried);
  }
}
