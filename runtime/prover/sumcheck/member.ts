/** A member of a stack: the tables of one summand, on the device while they are long, here once they are short. */
import type { Device, FrVector, Kernel, Table } from '../../device/device.ts';
import { mul as times, table, type Expression } from '../../kernels/expression.ts';
import * as Fr from '../../protocol/scalar.ts';
import type { Summand } from '../../protocol/sumcheck/stacks.ts';
import type { RoundPoint } from '../../protocol/sumcheck/sumcheck.ts';
import type { Held, HeldValue } from '../held.ts';

/** With so many variables left a table is quicker summed here than a device is called. */
export const HOST_BITS = 3;

/** One summand: its tables, and how many of its variables are bound. */
export class MemberProver {
  readonly #device: Device;
  readonly #held: Held;
  readonly #summand: Summand;
  readonly #kernel: Kernel;
  readonly #bits: number;
  #tables: HeldValue<readonly Table[]>;
  /** The tables' entries, padded with zeros, once they are few. */
  #entries: readonly (readonly bigint[])[] | undefined;
  #bound = 0;

  constructor(device: Device, held: Held, summand: Summand, bits: number, tables: HeldValue<readonly Table[]>) {
    this.#device = device;
    this.#held = held;
    this.#summand = summand;
    this.#bits = bits;
    this.#tables = tables;
    this.#kernel = device.prepare(product(tables.value.length));
  }

  /** The summand's weight times the sum over the rest of the product of its tables, at `points`, `outer` being the weights by eq of what is left. */
  async round(points: readonly RoundPoint[], outer: FrVector | undefined): Promise<bigint[]> {
    const { weight, weights } = this.#summand;
    const variables = this.#bits - this.#bound;
    const innerBits = this.#bits - weights.length;
    const tables = this.#tables.value;
    const given = outer && { outer, innerBits };
    const values = await this.#device.round(this.#kernel, tables, [], variables, points, given);
    return values.map((v) => Fr.mul(weight, v));
  }

  /** As `round`, with the table of eq itself, where `HOST_BITS` variables or fewer are left. */
  async roundOnHost(points: readonly RoundPoint[], eq: readonly bigint[]): Promise<bigint[]> {
    const { weight, weights } = this.#summand;
    const innerBits = this.#bits - Math.max(weights.length, this.#bound + 1);
    const entries = await this.#onHost();
    const weightAt = (j: number): bigint => eq[j >> innerBits];
    return points.map((p) => Fr.mul(weight, sumOfProducts(entries, p, weightAt)));
  }

  async bind(x: bigint): Promise<void> {
    if (this.#entries) {
      this.#entries = this.#entries.map((t) => foldHalves(t, x));
      this.#bound++;
      return;
    }
    const before = this.#tables;
    this.#tables = await this.#held.make(() => {
      // A table that is there twice, as of a square, is folded once.
      const distinct = [...new Set(before.value)];
      const folded = this.#device.fold(distinct, this.#bits - this.#bound, x);
      return before.value.map((t) => folded[distinct.indexOf(t)]);
    });
    before.release();
    this.#bound++;
  }

  /** Of the factors, once all variables are bound. */
  async values(): Promise<bigint[]> {
    return (await this.#onHost()).map(([v]) => v);
  }

  /** Reads the tables, which are freed then. */
  async #onHost(): Promise<readonly (readonly bigint[])[]> {
    if (this.#entries) return this.#entries;
    const size = 2 ** (this.#bits - this.#bound);
    const known = new Map<Table, readonly bigint[]>();
    await this.#device.scope(async () => {
      for (const t of this.#tables.value) {
        if (known.has(t)) continue;
        const read = await this.#device.readFr(t.kind === 'int' ? this.#device.lift(t) : t);
        known.set(t, [...read, ...Array.from({ length: size - read.length }, () => 0n)]);
      }
    });
    this.#entries = this.#tables.value.map((t) => known.get(t) ?? []);
    this.#tables.release();
    return this.#entries;
  }
}

/** t0 t1 ... */
function product(count: number): Expression {
  let e: Expression = table(0);
  for (let k = 1; k < count; k++) e = times(e, table(k));
  return e;
}

/** sum over the rest of the weights times the product of the tables, their first variable being x; over all where none is left */
export function sumOfProducts(
  tables: readonly (readonly bigint[])[],
  x: RoundPoint = 0,
  weight?: (j: number) => bigint,
): bigint {
  const half = Math.ceil(tables[0].length / 2);
  const at = (t: readonly bigint[], j: number): bigint => {
    if (x === 0) return t[j];
    if (x === 1) return t[j + half];
    const slope = Fr.sub(t[j + half], t[j]);
    return x === 'inf' ? slope : Fr.reduce(t[j] + BigInt(x) * slope);
  };
  let sum = 0n;
  for (let j = 0; j < half; j++) {
    let product = weight === undefined ? 1n : weight(j);
    for (const t of tables) product = Fr.mul(product, at(t, j));
    sum += product;
  }
  return Fr.reduce(sum);
}

export function foldHalves(t: readonly bigint[], x: bigint): bigint[] {
  const half = t.length / 2;
  return t.slice(0, half).map((lo, j) => Fr.add(lo, Fr.mul(x, Fr.sub(t[j + half], lo))));
}
