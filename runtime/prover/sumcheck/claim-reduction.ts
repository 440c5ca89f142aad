/** The prover's rounds of a level for `protocol/sumcheck/claim-reduction.ts`. */
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { Device, FrVector, Kernel, Table } from '../../device/device.ts';
import { mul as times, table, type Expression } from '../../kernels/expression.ts';
import type { LevelProver } from '../../protocol/sumcheck/claim-reduction.ts';
import * as Fr from '../../protocol/scalar.ts';
import { memberBits, roundDegree, roundDegrees, type Stack, type Summand } from '../../protocol/sumcheck/stacks.ts';
import type { RoundPoint } from '../../protocol/sumcheck/sumcheck.ts';
import { Held, type HeldValue } from '../held.ts';
import { TableMaker, type TensorSource } from './factor-tables.ts';

export async function levelProver(
  device: Device,
  program: GadgetProgram,
  tensors: TensorSource,
  stacks: readonly Stack[],
  held = new Held(device),
): Promise<LevelProver> {
  const maker = new TableMaker(device, held, program, tensors);
  const provers: StackProver[] = [];
  for (const stack of stacks) {
    const members: MemberProver[] = [];
    for (const m of stack.members)
      members.push(new MemberProver(device, held, m, memberBits(stack), await maker.tablesOf(m)));
    provers.push(new StackProver(device, stack, members));
  }
  const degrees = roundDegrees(stacks);
  let round = 0;
  return {
    async round(points) {
      let sums = points.map(() => 0n);
      for (const p of provers) sums = plus(sums, await p.round(points, round, degrees[round]));
      return sums;
    },
    async bind(x) {
      for (const p of provers) await p.bind(x, round);
      round++;
    },
    async finals() {
      const all: bigint[][] = [];
      for (const p of provers) all.push(await p.finals());
      await maker.release();
      return all;
    },
  };
}

const plus = (a: readonly bigint[], b: readonly bigint[]): bigint[] => a.map((v, i) => Fr.add(v, b[i]));

/** A stack: its members side by side while their variables are bound, then the axis along which they are stacked. */
class StackProver {
  readonly #device: Device;
  readonly #stack: Stack;
  readonly #members: readonly MemberProver[];
  readonly #bits: number;
  /** Once the members' variables are bound, for each l: the weight, and the values of the factors. */
  #weights: bigint[] | undefined;
  #factors: bigint[][] = [];

  constructor(device: Device, stack: Stack, members: readonly MemberProver[]) {
    this.#device = device;
    this.#stack = stack;
    this.#members = members;
    this.#bits = memberBits(stack);
  }

  /** Its part of the round polynomial at `points`, where the batch's degree is `degree`. */
  async round(points: readonly RoundPoint[], round: number, degree: number): Promise<bigint[]> {
    const own = roundDegree(this.#stack, round);
    if (round < this.#bits) {
      // All members have the same weight by eq.
      const { weights } = this.#stack.members[0];
      const weighted = weights.slice(round + 1);
      return this.#device.scope(async () => {
        const outer = weighted.length > 0 ? this.#device.eq(weighted) : undefined;
        let sums = points.map(() => 0n);
        for (const m of this.#members) sums = plus(sums, await m.round(points, outer, own === degree));
        return sums;
      });
    }
    const weights = await this.#stackedWeights();
    if (weights.length === 1) {
      // Constant from here on: half of its value at 0 and 1 each, and so on for every round since it ended.
      const value = this.#factors.reduce((p, f) => Fr.mul(p, f[0]), weights[0]);
      const ended = this.#bits + Fr.bitsFor(this.#members.length);
      const spread = Fr.powers(Fr.half, round - ended + 2)[round - ended + 1];
      return points.map((p) => (p === 'inf' ? 0n : Fr.mul(value, spread)));
    }
    const fixed = this.#fixed();
    const tables = [weights, ...this.#factors.filter((_, k) => this.#stack.varying[k])];
    return points.map((p) => (p === 'inf' && own !== degree ? 0n : Fr.mul(fixed, sumOfProducts(tables, p))));
  }

  async bind(x: bigint, round: number): Promise<void> {
    if (round < this.#bits) for (const m of this.#members) await m.bind(x);
    else {
      const weights = await this.#stackedWeights();
      if (weights.length === 1) return;
      this.#weights = foldHalves(weights, x);
      this.#factors = this.#factors.map((f, k) => (this.#stack.varying[k] ? foldHalves(f, x) : f));
    }
  }

  /** Of each factor, once all variables are bound. */
  async finals(): Promise<bigint[]> {
    await this.#stackedWeights();
    return this.#factors.map((f) => f[0]);
  }

  async #stackedWeights(): Promise<bigint[]> {
    if (this.#weights) return this.#weights;
    const values: bigint[][] = [];
    for (const m of this.#members) values.push(await m.values());
    const size = 2 ** Fr.bitsFor(values.length);
    const padded = (v: bigint[]): bigint[] => [...v, ...Array.from({ length: size - v.length }, () => 0n)];
    this.#factors = this.#stack.varying.map((varying, k) =>
      varying ? padded(values.map((v) => v[k])) : [values[0][k]],
    );
    this.#weights = padded(this.#members.map((m) => m.prefix));
    return this.#weights;
  }

  #fixed(): bigint {
    return this.#factors.reduce((p, f, k) => (this.#stack.varying[k] ? p : Fr.mul(p, f[0])), 1n);
  }
}

/** sum over the rest of the product of the tables, their first variable being x */
function sumOfProducts(tables: readonly (readonly bigint[])[], x: RoundPoint): bigint {
  const half = tables[0].length / 2;
  const at = (lo: bigint, hi: bigint): bigint => {
    const slope = Fr.sub(hi, lo);
    return x === 'inf' ? slope : Fr.add(lo, Fr.mul(Fr.reduce(BigInt(x)), slope));
  };
  let sum = 0n;
  for (let j = 0; j < half; j++)
    sum = Fr.add(
      sum,
      tables.reduce((p, t) => Fr.mul(p, at(t[j], t[j + half])), 1n),
    );
  return sum;
}

function foldHalves(t: readonly bigint[], x: bigint): bigint[] {
  const half = t.length / 2;
  return t.slice(0, half).map((lo, j) => Fr.add(lo, Fr.mul(x, Fr.sub(t[j + half], lo))));
}

/** One summand: its tables, and how many of its variables are bound. */
class MemberProver {
  readonly #device: Device;
  readonly #held: Held;
  readonly #summand: Summand;
  readonly #kernel: Kernel;
  readonly #bits: number;
  #tables: HeldValue<readonly Table[]>;
  #bound = 0;
  /** The weight times eq of the bound variables. */
  #prefix: bigint;

  constructor(device: Device, held: Held, summand: Summand, bits: number, tables: HeldValue<readonly Table[]>) {
    this.#device = device;
    this.#held = held;
    this.#summand = summand;
    this.#bits = bits;
    this.#prefix = summand.weight;
    this.#tables = tables;
    this.#kernel = device.prepare(product(tables.value.length));
  }

  get prefix(): bigint {
    return this.#prefix;
  }

  /** Its part of the round polynomial at `points`, `outer` being the weights by eq of what is left; its leading coefficient counts only if its own degree is the batch's. */
  async round(points: readonly RoundPoint[], outer: FrVector | undefined, leads: boolean): Promise<bigint[]> {
    const { weights } = this.#summand;
    const own = points.filter((p) => p !== 'inf' || leads);
    const variables = this.#bits - this.#bound;
    const innerBits = this.#bits - weights.length;
    const tables = this.#tables.value;
    const values =
      tables.length > 0
        ? await this.#device.round(this.#kernel, tables, [], variables, own, outer && { outer, innerBits })
        : [];
    return points.map((p) => {
      const i = own.indexOf(p);
      if (i < 0) return 0n;
      const tau = this.#bound < weights.length ? eqLine(weights[this.#bound], p) : 1n;
      return Fr.mul(Fr.mul(this.#prefix, tau), values[i]);
    });
  }

  async bind(x: bigint): Promise<void> {
    const before = this.#tables;
    this.#tables = await this.#held.make(() => this.#device.fold(before.value, this.#bits - this.#bound, x));
    before.release();
    const { weights } = this.#summand;
    if (this.#bound < weights.length) this.#prefix = Fr.mul(this.#prefix, Fr.eqEval([weights[this.#bound]], [x]));
    this.#bound++;
  }

  /** Of the factors, once all variables are bound; their tables are freed then. */
  async values(): Promise<bigint[]> {
    const out: bigint[] = [];
    await this.#device.scope(async () => {
      for (const t of this.#tables.value) {
        const [v] = await this.#device.readFr(t.kind === 'int' ? this.#device.lift(t) : t);
        out.push(v ?? 0n);
      }
    });
    this.#tables.release();
    return out;
  }
}

/** (1 - tau)(1 - X) + tau X at X, or its leading coefficient. */
function eqLine(tau: bigint, x: RoundPoint): bigint {
  if (x === 'inf') return Fr.sub(Fr.add(tau, tau), 1n);
  return Fr.eqEval([tau], [Fr.reduce(BigInt(x))]);
}

/** t0 t1 ... */
function product(count: number): Expression {
  let e: Expression = table(0);
  for (let k = 1; k < count; k++) e = times(e, table(k));
  return e;
}
