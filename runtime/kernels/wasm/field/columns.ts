/**
 * Sums of products of digits, column by column, as 64-bit integers. Operations are recorded first and emitted by `emit`, because the bits
 * that come with each product are constants whose total, column by column, is taken off in the column's first addition.
 *
 * Products of doubles are split exactly by fused multiply-add (Dekker 1971; Emmart, Zheng, Weems 2018): with C1 = 3/2 * 2^(52+w),
 * h = fma(x, y, C1) holds round(x y / 2^w) in its low bits, and fma(x, y, (C1 - h) + C2), C2 = 3/2 * 2^52, the rest of the product in its own.
 */
import { doubleBits, f64x2, i64x2, v128, type Local, type V128 } from '../emit/code.ts';
import type { Code } from '../emit/module.ts';
import type { Constants } from '../emit/constants.ts';

export type Limb = Local<'v128'>;

/** Keeps columns positive, so that shifts need no sign. A multiple of 2^w. */
const OFFSET = 1n << 62n;
/** Adding it to an integer below 2^51 in absolute value puts that integer into the low bits. */
export const C2 = 1.5 * 2 ** 52;
const C2_BITS = doubleBits(C2);

export class Columns {
  readonly #c: Code;
  readonly #k: Constants;
  readonly #w: number;
  readonly #c1: number;
  readonly #cells: (Limb | undefined)[];
  readonly #bias: bigint[];
  readonly #steps: (() => void)[] = [];
  readonly #scratch: Limb[] = [];
  /** Run before emission, last first: each puts back the constants of a column up to a look at it. */
  readonly #settle: (() => void)[] = [];
  /** Where a column starts from besides its constant. */
  readonly #initial: ((column: number) => V128) | undefined;
  #c1Local!: Limb;
  #c12Local!: Limb;

  constructor(c: Code, k: Constants, w: number, count: number, initial?: (column: number) => V128) {
    this.#c = c;
    this.#k = k;
    this.#w = w;
    this.#c1 = 1.5 * 2 ** (52 + w);
    this.#cells = Array.from({ length: count }, () => undefined);
    this.#bias = Array.from({ length: count }, () => 0n);
    this.#initial = initial;
  }

  /** A local that lives until `emit` is over. */
  local(): Limb {
    const local = this.#c.local('v128');
    this.#scratch.push(local);
    return local;
  }

  /** Records any code. */
  step(emit: () => void): void {
    this.#steps.push(emit);
  }

  /** Records local := value. */
  set(local: Limb, value: V128): void {
    this.#steps.push(() => this.#c.set(local, value));
  }

  /** Records column += value - bias. */
  add(column: number, value: () => V128, bias = 0n): void {
    this.#bias[column] -= bias;
    this.#steps.push(() => this.#accumulate(column, i64x2.add, value()));
  }

  /** Records column -= value, for digits kept as doubles below 2^51. */
  subDigit(column: number, digit: V128): void {
    this.#bias[column] += C2_BITS;
    this.#steps.push(() => this.#accumulate(column, i64x2.sub, f64x2.add(digit, this.#k.double(C2))));
  }

  /** Records column += x y, where |x y| < 2^51. */
  smallProduct(column: number, x: V128, y: V128): void {
    this.add(column, () => f64x2.add(f64x2.mul(x, y), this.#k.double(C2)), C2_BITS);
  }

  /** Records column += low half, column + 1 += high half of x y, |x y| < 2^(51+w). Into the last column goes all of it. */
  product(column: number, x: V128, y: V128): void {
    const last = column + 1 === this.#bias.length;
    const c1Bits = doubleBits(this.#c1);
    this.#bias[column] -= C2_BITS;
    if (last) this.#bias[column] -= c1Bits << BigInt(this.#w);
    else this.#bias[column + 1] -= c1Bits;
    this.#steps.push(() => {
      // Used twice: a constant is loaded once.
      const factor = 'index' in y ? undefined : this.#c.let(y);
      const { high, low } = this.#split(x, factor ?? y);
      this.#accumulate(column, i64x2.add, low(this.#c12Local));
      this.#accumulate(last ? column : column + 1, i64x2.add, last ? i64x2.shl(high, this.#w) : high);
      this.#c.release(high);
      if (factor !== undefined) this.#c.release(factor);
    });
  }

  /** Records q := x y modulo 2^w, balanced (but for 2^(w-3) when products are not fused). */
  lowProduct(q: Limb, x: V128, y: V128): void {
    this.#steps.push(() => {
      const { high, low } = this.#split(x, y);
      this.#c.set(q, low(this.#c1Local));
      this.#c.release(high);
    });
  }

  /**
   * `high`: C1 plus the multiple of 2^w nearest to x y. `low(s)`: x y - high + s, exact, for s = C1 or C1 + C2. Without fused multiply-add the product's
   * rounding error comes from halves of x and y (Veltkamp 1968; Dekker 1971), and `high` is the multiple nearest to the rounded product.
   */
  #split(x: V128, y: V128): { readonly high: Limb; readonly low: (start: V128) => V128 } {
    const c = this.#c;
    if (this.#k.fused) {
      const high = c.let(f64x2.relaxed_madd(x, y, this.#c1Local));
      return { high, low: (start) => f64x2.relaxed_madd(x, y, f64x2.sub(start, high)) };
    }
    const halves = (v: V128) => {
      const scaled = c.let(f64x2.mul(v, this.#k.double(2 ** 27 + 1)));
      const upper = c.let(f64x2.sub(scaled, f64x2.sub(scaled, v)));
      const lower = c.let(f64x2.sub(v, upper));
      c.release(scaled);
      return [upper, lower] as const;
    };
    const [[x1, x0], [y1, y0]] = [halves(x), halves(y)];
    const product = c.let(f64x2.mul(x, y));
    const cross = f64x2.add(f64x2.mul(x1, y0), f64x2.mul(x0, y1));
    const error = c.let(f64x2.add(f64x2.add(f64x2.sub(f64x2.mul(x1, y1), product), cross), f64x2.mul(x0, y0)));
    const high = c.let(f64x2.add(product, this.#c1Local));
    c.release(x1, x0, y1, y0);
    const low = (start: V128): V128 => {
      // high - C1 first: it is exact, and so is the difference of close numbers; the error is an integer below 2^50.
      const rest = f64x2.add(f64x2.sub(product, f64x2.sub(high, this.#c1Local)), error);
      c.release(product, error);
      return start === this.#c1Local ? rest : f64x2.add(rest, this.#k.double(C2));
    };
    return { high, low };
  }

  /** Records digit := the column balanced modulo 2^w, as a double, and next column += what is carried. */
  carry(column: number, digit: Limb): void {
    const half = 1n << BigInt(this.#w - 1);
    this.#shiftOut(column, OFFSET + half, () => this.#c.set(digit, this.#masked(column, 2 ** 52 + Number(half))));
  }

  /** Records q := the column's residue modulo 2^w in [0, 2^w), without carrying. */
  residue(column: number, q: Limb): void {
    this.#steps.push(() => this.#c.set(q, this.#masked(column, 2 ** 52)));
  }

  /** Records next column += column / 2^w, for a column that has become a multiple of 2^w. */
  carryExact(column: number): void {
    this.#shiftOut(column, OFFSET, () => undefined);
  }

  #shiftOut(column: number, offset: bigint, before: () => void): void {
    this.#bias[column] += offset;
    this.#bias[column + 1] -= OFFSET >> BigInt(this.#w);
    this.#steps.push(() => {
      before();
      this.#accumulate(column + 1, i64x2.add, i64x2.shr_u(this.at(column), this.#w));
      this.#release(column);
    });
  }

  #masked(column: number, subtract: number): V128 {
    const low = v128.and(this.at(column), this.#k.bits((1n << BigInt(this.#w)) - 1n));
    return f64x2.sub(v128.or(low, this.#k.double(2 ** 52)), this.#k.double(subtract));
  }

  /** Records digit := the column itself, an integer below 2^51 in absolute value. */
  last(column: number, digit: Limb): void {
    this.#bias[column] += C2_BITS;
    this.#steps.push(() => {
      this.#c.set(digit, f64x2.sub(this.at(column), this.#k.double(C2)));
      this.#release(column);
    });
  }

  /** Records x := about the column, |column| < 2^62, as a double with an error below 2^11, in spite of what later steps add to it. */
  estimate(column: number, x: Limb): void {
    this.#peek(column, OFFSET, () => {
      const shifted = v128.or(i64x2.shr_u(this.at(column), 11), this.#k.double(2 ** 52));
      this.#c.set(x, f64x2.mul(f64x2.sub(shifted, this.#k.double(2 ** 52 + 2 ** 51)), this.#k.double(2 ** 11)));
    });
  }

  /** Records x := the column, |column| < 2^51, as a double, in spite of what later steps add to it. */
  exact(column: number, x: Limb): void {
    this.#peek(column, C2_BITS, () => this.#c.set(x, f64x2.sub(this.at(column), this.#k.double(C2))));
  }

  /** Records a look at the column's present value plus `offset`; the constants of later steps are then added at once. */
  #peek(column: number, offset: bigint, look: () => void): void {
    const before = this.#bias[column] + offset;
    this.#bias[column] = 0n;
    let after = 0n;
    this.#settle.push(() => {
      after = this.#bias[column] - offset;
      this.#bias[column] = before;
    });
    this.#steps.push(() => {
      look();
      this.#accumulate(column, i64x2.add, this.#k.bits(after));
    });
  }

  /** The 64-bit integer in a column, while steps run. */
  at(column: number): Limb {
    const cell = this.#cells[column];
    if (cell !== undefined) return cell;
    const fresh = this.#c.local('v128');
    this.#c.set(fresh, this.#start(column));
    this.#cells[column] = fresh;
    return fresh;
  }

  #start(column: number): V128 {
    const constant = this.#k.bits(this.#bias[column]);
    if (this.#initial === undefined) return constant;
    return this.#bias[column] === 0n ? this.#initial(column) : i64x2.add(this.#initial(column), constant);
  }

  #accumulate(column: number, op: (a: V128, b: V128) => V128, value: V128): void {
    const cell = this.#cells[column];
    if (cell !== undefined) this.#c.set(cell, op(cell, value));
    else {
      const fresh = this.#c.local('v128');
      this.#c.set(fresh, op(this.#start(column), value));
      this.#cells[column] = fresh;
    }
  }

  #release(column: number): void {
    const cell = this.#cells[column];
    if (cell !== undefined) this.#c.release(cell);
    this.#cells[column] = undefined;
  }

  /** Emits everything recorded. */
  emit(): void {
    for (const settle of this.#settle.reverse()) settle();
    this.#c1Local = this.#c.let(this.#k.double(this.#c1));
    this.#c12Local = this.#c.let(this.#k.double(this.#c1 + C2));
    for (const step of this.#steps) step();
    this.#cells.forEach((_, column) => this.#release(column));
    this.#c.release(this.#c1Local, this.#c12Local, ...this.#scratch);
  }
}
