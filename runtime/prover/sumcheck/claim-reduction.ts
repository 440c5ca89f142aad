/**
 * The prover's rounds of a level for `protocol/sumcheck/claim-reduction.ts`.
 *
 * What a stack's part of the round polynomial adds up to is known from the second round on: it is the last polynomial at the challenge. So a part of
 * degree d is evaluated at d points only, however high the degree of the batch is, and follows at the batch's points from them.
 */
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { Device, FrVector } from '../../device/device.ts';
import type { LevelProver } from '../../protocol/sumcheck/claim-reduction.ts';
import * as Fr from '../../protocol/scalar.ts';
import { memberBits, roundDegree, roundDegrees, type Stack } from '../../protocol/sumcheck/stacks.ts';
import type { RoundPoint } from '../../protocol/sumcheck/sumcheck.ts';
import { Held } from '../held.ts';
import { TableMaker, type TensorSource } from './factor-tables.ts';
import { foldHalves, HOST_BITS, MemberProver, sumOfProducts } from './member.ts';
import { RoundPolynomial, type RoundSum } from './round-polynomial.ts';

export async function levelProver(
  device: Device,
  program: GadgetProgram,
  tensors: TensorSource,
  stacks: readonly Stack[],
  held = new Held(device),
): Promise<LevelProver> {
  const maker = new TableMaker(device, held, program, tensors);
  const inverses = inversesOf(stacks);
  const provers: StackProver[] = [];
  for (const stack of stacks) {
    const members: MemberProver[] = [];
    for (const m of stack.members)
      members.push(new MemberProver(device, held, m, memberBits(stack), await maker.tablesOf(m)));
    provers.push(new StackProver(stack, members, inverses));
  }
  const degrees = roundDegrees(stacks);
  let round = 0;
  let open: readonly StackProver[] = provers;
  /** Of the stacks that have ended: half at 0 and half at 1 each, and so on for every round since. */
  let constant = 0n;
  return {
    async round(points) {
      for (const p of open) if (p.rounds === round) constant = Fr.add(constant, await p.value());
      open = open.filter((p) => p.rounds > round);
      constant = Fr.mul(constant, Fr.half);
      let sums = points.map((p) => (p === 'inf' ? 0n : constant));
      return device.scope(async () => {
        const eqs = new SharedEqs(device);
        for (const p of open) sums = plus(sums, await p.round(points, round, degrees[round], eqs));
        return sums;
      });
    },
    async bind(x) {
      for (const p of open) await p.bind(x, round);
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

/** Inverses of all that stacks are weighted with; 0 has none. */
function inversesOf(stacks: readonly Stack[]): ReadonlyMap<bigint, bigint> {
  const weights = [...new Set(stacks.flatMap(({ members }) => members[0].weights))].filter((w) => w !== 0n);
  const inverses = Fr.inverseOfEach(weights);
  return new Map(weights.map((w, i) => [w, inverses[i]]));
}

/** Tables of eq of a round, of the current scope: most stacks are weighted as others are. */
class SharedEqs {
  readonly #device: Device;
  readonly #made = new Map<string, FrVector>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** eq(point, .), `name` being the point's. */
  of(point: readonly bigint[], name: string): FrVector {
    const made = this.#made.get(name) ?? this.#device.eq(point);
    this.#made.set(name, made);
    return made;
  }
}

const plus = (a: readonly bigint[], b: readonly bigint[]): bigint[] => a.map((v, i) => Fr.add(v, b[i]));

/** A stack: its members side by side while their variables are bound, then the axis along which they are stacked. */
class StackProver {
  readonly #stack: Stack;
  readonly #members: readonly MemberProver[];
  readonly #inverses: ReadonlyMap<bigint, bigint>;
  readonly #bits: number;
  /** Names the point of the weights. */
  readonly #name: string;
  /** eq of the bound variables. */
  #prefix = 1n;
  /** Of the round, and what the next one adds up to, both without the prefix. */
  #polynomial: RoundPolynomial | undefined;
  #claim: bigint | undefined;
  /** Once the members' variables are bound, for each l: the weight, which has the factors that are the same in all members, and the values of the factors. */
  #weights: bigint[] | undefined;
  #factors: bigint[][] = [];

  constructor(stack: Stack, members: readonly MemberProver[], inverses: ReadonlyMap<bigint, bigint>) {
    this.#stack = stack;
    this.#members = members;
    this.#inverses = inverses;
    this.#bits = memberBits(stack);
    this.#name = stack.members[0].weights.join();
  }

  /** After so many it has a single value. */
  get rounds(): number {
    return this.#bits + Fr.bitsFor(this.#members.length);
  }

  /** Its part of the round polynomial at `points`, where the batch's degree is `degree`; its leading coefficient counts only if its own degree is the batch's. */
  async round(points: readonly RoundPoint[], round: number, degree: number, eqs: SharedEqs): Promise<bigint[]> {
    const own = roundDegree(this.#stack, round);
    const tau = round < this.#bits ? this.#stack.members[0].weights.at(round) : undefined;
    const weights = round < this.#bits ? undefined : await this.#stackedWeights();
    const sum = this.#sum(tau);
    const asked = RoundPolynomial.points(tau === undefined ? own : own - 1, sum);
    const polynomial = RoundPolynomial.of(
      weights ? asked.map((p) => sumOfProducts(this.#stacked(weights), p)) : await this.#memberSums(asked, round, eqs),
      sum,
    );
    this.#polynomial = polynomial;
    return points.map((p) => {
      if (p === 'inf' && own !== degree) return 0n;
      const line = tau === undefined ? this.#prefix : Fr.mul(this.#prefix, eqLine(tau, p));
      return Fr.mul(line, polynomial.at(p === 'inf' ? p : Fr.reduce(BigInt(p))));
    });
  }

  async bind(x: bigint, round: number): Promise<void> {
    this.#claim = this.#polynomial?.at(x);
    if (round < this.#bits) {
      for (const m of this.#members) await m.bind(x);
      const tau = this.#stack.members[0].weights.at(round);
      if (tau !== undefined) this.#prefix = Fr.mul(this.#prefix, Fr.eqEval([tau], [x]));
    } else {
      this.#weights = foldHalves(await this.#stackedWeights(), x);
      this.#factors = this.#factors.map((f, k) => (this.#stack.varying[k] ? foldHalves(f, x) : f));
    }
  }

  /** Once all variables are bound. */
  async value(): Promise<bigint> {
    const weights = await this.#stackedWeights();
    return Fr.mul(this.#prefix, sumOfProducts(this.#stacked(weights)));
  }

  /** Of each factor, once all variables are bound. */
  async finals(): Promise<bigint[]> {
    await this.#stackedWeights();
    return this.#factors.map((f) => f[0]);
  }

  /** The sum over the members of their parts, each with its weight, at `points`. */
  async #memberSums(points: readonly RoundPoint[], round: number, eqs: SharedEqs): Promise<bigint[]> {
    // All members have the same weight by eq.
    const rest = this.#stack.members[0].weights.slice(round + 1);
    let sums = points.map(() => 0n);
    if (this.#bits - round <= HOST_BITS) {
      const weights = Fr.eqTable(rest);
      for (const m of this.#members) sums = plus(sums, await m.roundOnHost(points, weights));
      return sums;
    }
    const outer = rest.length > 0 ? eqs.of(rest, this.#name) : undefined;
    for (const m of this.#members) sums = plus(sums, await m.round(points, outer));
    return sums;
  }

  #sum(tau: bigint | undefined): RoundSum | undefined {
    if (this.#claim === undefined) return undefined;
    if (tau === undefined) return { claim: this.#claim };
    const inverse = this.#inverses.get(tau);
    return inverse === undefined ? undefined : { claim: this.#claim, weight: { tau, inverse } };
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
    const fixed = this.#factors.reduce((p, f, k) => (this.#stack.varying[k] ? p : Fr.mul(p, f[0])), 1n);
    this.#weights = padded(this.#stack.members.map((m) => Fr.mul(fixed, m.weight)));
    return this.#weights;
  }

  #stacked(weights: bigint[]): bigint[][] {
    return [weights, ...this.#factors.filter((_, k) => this.#stack.varying[k])];
  }
}

/** (1 - tau)(1 - X) + tau X at X, or its leading coefficient. */
function eqLine(tau: bigint, x: RoundPoint): bigint {
  if (x === 'inf') return Fr.sub(Fr.add(tau, tau), 1n);
  return Fr.eqEval([tau], [Fr.reduce(BigInt(x))]);
}
