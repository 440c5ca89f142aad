/**
 * A tiny register machine over pairs in scratch memory: long formulas become calls to a few small functions, which compile quickly and are hot.
 */
import { i32, type I32 } from './code.ts';
import type { Field, Pair } from '../field/field.ts';
import type { ScratchPlan } from './layout.ts';
import { scratchBase, type Callee, type Code, type ModuleBuilder } from './module.ts';

/** A pair at an address, with its slack. */
export interface Slot {
  readonly address: I32;
  readonly slack: number;
}

export class Slots {
  readonly field: Field;
  readonly #scratch: ScratchPlan;
  readonly #mul: Callee;
  readonly #mulLoose: Callee;
  readonly #square: Callee;
  readonly #mulSub: Callee;
  readonly #squareSub: Callee;
  readonly #twoProducts: Callee;
  readonly #normalize: Callee;

  constructor(m: ModuleBuilder, field: Field, scratch: ScratchPlan) {
    this.field = field;
    this.#scratch = scratch;
    const define = (arity: number, body: (c: Code, operands: readonly I32[]) => Pair) =>
      m.function({ params: Array.from({ length: arity + 1 }, () => 'i32' as const) }, (c, target, ...operands) =>
        field.store(c, target, body(c, operands)),
      );
    // Slack is checked by the callers: here operands are loaded as if normal.
    this.#mul = define(2, (c, [a, b]) => field.mul(c, field.load(c, a), field.load(c, b), { normal: true }));
    this.#mulLoose = define(2, (c, [a, b]) => field.mul(c, field.load(c, a), field.load(c, b), { normal: false }));
    this.#square = define(1, (c, [a]) => {
      const x = field.load(c, a);
      return field.mul(c, x, x, { normal: true });
    });
    this.#mulSub = define(3, (c, [a, b, minus]) =>
      field.mul(c, field.load(c, a), field.load(c, b), {
        normal: true,
        minus: { ...field.load(c, minus), slack: 2 },
      }),
    );
    this.#squareSub = define(2, (c, [a, minus]) => {
      const x = field.load(c, a);
      return field.mul(c, x, x, { normal: true, minus: { ...field.load(c, minus), slack: 2 } });
    });
    this.#twoProducts = define(4, (c, [a, b, x, y]) => {
      const [p, q, r, s] = [a, b, x, y].map((at) => field.load(c, at)) as [Pair, Pair, Pair, Pair];
      return field.sumOfProducts(
        c,
        [
          [p, q],
          [r, s],
        ],
        { normal: true },
      );
    });
    this.#normalize = define(1, (c, [a]) => field.normalize(c, field.load(c, a)));
  }

  /** A new slot. */
  slot(): Slot {
    return { address: i32.add(scratchBase, this.#scratch.allocate(this.field.pairBytes)), slack: 1 };
  }

  at(address: I32, slack = 1): Slot {
    return { address, slack };
  }

  #check(...products: readonly (readonly [Slot, Slot])[]): void {
    for (const [a, b] of products)
      if (a.slack * b.slack > this.field.maximumSlack)
        throw new RangeError(`slack ${a.slack} times ${b.slack} is not exact`);
  }

  mul(c: Code, target: Slot, a: Slot, b: Slot): Slot {
    // A square doubles one factor.
    this.#check([a === b ? { ...a, slack: 2 * a.slack } : a, b]);
    if (a === b) c.call(this.#square, target.address, a.address);
    else c.call(this.#mul, target.address, a.address, b.address);
    return { ...target, slack: 1 };
  }

  /**
   * As `mul`, somewhat faster: the result's digits are those of a normal element, but its value may be as large as p. For products of products only.
   */
  mulLoose(c: Code, target: Slot, a: Slot, b: Slot): Slot {
    this.#check([a, b]);
    c.call(this.#mulLoose, target.address, a.address, b.address);
    return { ...target, slack: 1 };
  }

  /** a b - minus, minus of slack at most 2. */
  mulSub(c: Code, target: Slot, a: Slot, b: Slot, minus: Slot): Slot {
    this.#check([a === b ? { ...a, slack: 2 * a.slack } : a, b]);
    if (minus.slack > 2) throw new RangeError(`subtrahend of slack ${minus.slack}`);
    if (a === b) c.call(this.#squareSub, target.address, a.address, minus.address);
    else c.call(this.#mulSub, target.address, a.address, b.address, minus.address);
    return { ...target, slack: 1 };
  }

  /** a b + x y. */
  twoProducts(c: Code, target: Slot, a: Slot, b: Slot, x: Slot, y: Slot): Slot {
    this.#check([a, b], [x, y]);
    c.call(this.#twoProducts, target.address, a.address, b.address, x.address, y.address);
    return { ...target, slack: 1 };
  }

  normalize(c: Code, target: Slot, a: Slot): Slot {
    c.call(this.#normalize, target.address, a.address);
    return { ...target, slack: 1 };
  }

  #linear(c: Code, target: Slot, pairs: readonly Pair[], combine: (pairs: readonly Pair[]) => Pair): Slot {
    const out = combine(pairs);
    this.field.store(c, target.address, out);
    this.field.release(c, ...pairs, out);
    return { ...target, slack: out.slack };
  }

  #load(c: Code, a: Slot): Pair {
    return { ...this.field.load(c, a.address), slack: a.slack };
  }

  add(c: Code, target: Slot, a: Slot, b: Slot): Slot {
    return this.#linear(c, target, [this.#load(c, a), this.#load(c, b)], ([x, y]) => this.field.add(c, x, y));
  }

  sub(c: Code, target: Slot, a: Slot, b: Slot): Slot {
    return this.#linear(c, target, [this.#load(c, a), this.#load(c, b)], ([x, y]) => this.field.sub(c, x, y));
  }

  scale(c: Code, target: Slot, a: Slot, by: number): Slot {
    return this.#linear(c, target, [this.#load(c, a)], ([x]) => this.field.scale(c, x, by));
  }

  copy(c: Code, target: Slot, a: Slot): Slot {
    c.copy(target.address, a.address, this.field.pairBytes);
    return { ...target, slack: a.slack };
  }

  /** target := the constant v in both lanes. */
  constant(c: Code, target: Slot, v: bigint): Slot {
    this.field.store(c, target.address, this.field.constant(v));
    return { ...target, slack: 1 };
  }

  /** target := lanes of a exchanged. */
  swap(c: Code, target: Slot, a: Slot): Slot {
    const next = i32.add(a.address, 8);
    this.field.store(c, target.address, this.field.gatherStrided(c, next, a.address, 16));
    return { ...target, slack: a.slack };
  }

  gather(c: Code, target: Slot, first: I32, second: I32, offset = 0): Slot {
    const pair = this.field.gather(c, first, second, offset);
    this.field.store(c, target.address, pair);
    this.field.release(c, pair);
    return { ...target, slack: 1 };
  }

  scatter(c: Code, first: I32, second: I32, a: Slot, offset = 0): void {
    const pair = this.field.load(c, a.address);
    this.field.scatter(c, first, second, pair, offset);
    this.field.release(c, pair);
  }

  /** target := a^exponent, by sliding windows of at most four bits. */
  power(c: Code, target: Slot, a: Slot, exponent: bigint): Slot {
    // Odd powers.
    const square = this.mul(c, this.slot(), a, a);
    const table = [a];
    for (let i = 1; i < 8; i++) table.push(this.mul(c, this.slot(), table[i - 1], square));
    let pending = 0;
    const flush = (): void => {
      if (pending > 0) c.for(0, pending, () => this.mul(c, target, target, target));
      pending = 0;
    };
    // A window begins and ends with a 1.
    for (const [i, digits] of (exponent.toString(2).match(/1(?:[01]{0,2}1)?|0/g) ?? []).entries()) {
      const factor = table[parseInt(digits, 2) >> 1];
      if (i === 0) {
        this.copy(c, target, factor);
        continue;
      }
      pending += digits.length;
      if (digits === '0') continue;
      flush();
      this.mul(c, target, target, factor);
    }
    flush();
    return { ...target, slack: 1 };
  }
}
