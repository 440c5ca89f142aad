/** The prover's tables and rounds for `protocol/levels.ts`. */
import type { GadgetFactor, GadgetProgram } from '../../compiler/gadget/program.ts';
import type { Device, FrVector, IntVector, Kernel, Table } from '../device/device.ts';
import { mul as times, table, type Expression } from '../device/expression.ts';
import {
  bitCount,
  roundDegree,
  roundDegrees,
  type AxisPoints,
  type Instance,
  type LevelProver,
} from '../protocol/levels.ts';
import { contractAxes, type DeviceTensor } from '../protocol/publics.ts';
import * as Fr from '../protocol/scalar.ts';
import type { Point } from '../protocol/sumcheck.ts';
import { viewMap } from '../protocol/views.ts';
import { Held, type HeldValue } from './held.ts';

/** Entries of any tensor of the program, on the device, for as long as the proof is made. */
export type TensorSource = (id: number) => Promise<DeviceTensor>;

export async function levelProver(
  device: Device,
  program: GadgetProgram,
  tensors: TensorSource,
  instances: readonly Instance[],
  held = new Held(device),
): Promise<LevelProver> {
  const summands: Summand[] = [];
  for (const s of instances) summands.push(await makeSummand(device, held, program, tensors, s));
  const degrees = roundDegrees(instances);
  let round = 0;
  return {
    async round(points) {
      const sums = points.map(() => 0n);
      for (const s of summands)
        for (const [i, v] of (await s.round(points, round, degrees[round])).entries()) sums[i] = Fr.add(sums[i], v);
      return sums;
    },
    async bind(x) {
      for (const s of summands) await s.bind(x);
      round++;
    },
    async finals() {
      const all: bigint[][] = [];
      for (const s of summands) all.push(await s.values());
      return all;
    },
  };
}

async function makeSummand(
  device: Device,
  held: Held,
  program: GadgetProgram,
  tensors: TensorSource,
  instance: Instance,
): Promise<Summand> {
  const own: DeviceTensor[] = [];
  for (const id of tensorsOf(instance)) own.push(await tensors(id));
  const tables = await held.make(() => tablesOf(device, program, own, instance));
  return new Summand(device, held, instance, tables);
}

/** One instance: its tables, and how many of its variables are bound. */
class Summand {
  readonly #device: Device;
  readonly #held: Held;
  readonly #instance: Instance;
  readonly #kernel: Kernel;
  readonly #bits: number;
  #tables: HeldValue<readonly Table[]>;
  #bound = 0;
  /** The weight times eq of the bound variables. */
  #prefix: bigint;
  /** Of the factors, once all variables are bound; their tables are freed then. */
  #values: bigint[] | undefined;

  constructor(device: Device, held: Held, instance: Instance, tables: HeldValue<readonly Table[]>) {
    this.#device = device;
    this.#held = held;
    this.#instance = instance;
    this.#bits = bitCount(instance);
    this.#prefix = instance.weight;
    this.#tables = tables;
    this.#kernel = device.prepare(product(tables.value.length));
  }

  /** Its part of the round polynomial at `points`, where the batch's degree is `degree`. */
  async round(points: readonly Point[], round: number, degree: number): Promise<bigint[]> {
    const { weights } = this.#instance;
    if (round >= this.#bits) {
      // Constant from here on: half of its value at 0 and 1 each, and so on for every round since it ended.
      const value = (await this.values()).reduce(Fr.mul, this.#prefix);
      const spread = Fr.powers(Fr.half, round - this.#bits + 2)[round - this.#bits + 1];
      return points.map((p) => (p === 'inf' ? 0n : Fr.mul(value, spread)));
    }
    // Its leading coefficient counts only if its own degree is the batch's.
    const own = points.filter((p) => p !== 'inf' || roundDegree(this.#instance, round) === degree);
    const variables = this.#bits - this.#bound;
    const weighted = weights.slice(this.#bound + 1);
    const innerBits = this.#bits - weights.length;
    const tables = this.#tables.value;
    const values = await this.#device.scope(async () => {
      const outer = weighted.length > 0 ? { outer: this.#device.eq(weighted), innerBits } : undefined;
      return tables.length > 0 ? this.#device.round(this.#kernel, tables, [], variables, own, outer) : [];
    });
    return points.map((p) => {
      const i = own.indexOf(p);
      if (i < 0) return 0n;
      const tau = round < weights.length ? eqLine(weights[round], p) : 1n;
      return Fr.mul(Fr.mul(this.#prefix, tau), values[i]);
    });
  }

  async bind(x: bigint): Promise<void> {
    if (this.#bound === this.#bits) return;
    const before = this.#tables;
    this.#tables = await this.#held.make(() => this.#device.fold(before.value, this.#bits - this.#bound, x));
    before.release();
    const { weights } = this.#instance;
    if (this.#bound < weights.length) this.#prefix = Fr.mul(this.#prefix, Fr.eqEval([weights[this.#bound]], [x]));
    this.#bound++;
  }

  async values(): Promise<bigint[]> {
    if (this.#values) return this.#values;
    const out: bigint[] = [];
    await this.#device.scope(async () => {
      for (const t of this.#tables.value) {
        const [v] = await this.#device.readFr(t.kind === 'int' ? this.#device.lift(t) : t);
        out.push(v ?? 0n);
      }
    });
    this.#tables.release();
    this.#values = out;
    return out;
  }
}

/** (1 - tau)(1 - X) + tau X at X, or its leading coefficient. */
function eqLine(tau: bigint, x: Point): bigint {
  if (x === 'inf') return Fr.sub(Fr.add(tau, tau), 1n);
  return Fr.eqEval([tau], [Fr.reduce(BigInt(x))]);
}

/** t0 t1 ... */
function product(count: number): Expression {
  let e: Expression = table(0);
  for (let k = 1; k < count; k++) e = times(e, table(k));
  return e;
}

/** The tensors whose tables an instance has, in order; of a view's two the second. */
const tensorsOf = ({ source }: Instance): number[] =>
  source.kind === 'term' ? source.term.factors.map((f) => f.tensor) : [source.of];

function tablesOf(
  device: Device,
  program: GadgetProgram,
  tensors: readonly DeviceTensor[],
  instance: Instance,
): readonly Table[] {
  const { source } = instance;
  if (source.kind === 'term')
    return source.term.factors.map((f, k) => factorTable(device, program, tensors[k], f, instance));
  const shape = program.tensors[source.of].shape;
  const all: GadgetFactor = { tensor: source.of, axes: shape.map((_, variable) => ({ kind: 'summed', variable })) };
  return [
    viewTable(device, program, source.view, instance.claim),
    factorTable(device, program, tensors[0], all, instance),
  ];
}

/** The factor with its bound axes weighted, over the instance's variables, each padded to a power of two. */
function factorTable(
  device: Device,
  program: GadgetProgram,
  tensor: DeviceTensor,
  factor: GadgetFactor,
  instance: Instance,
): Table {
  const { shape } = program.tensors[factor.tensor];
  const weights = factor.axes.map((a, j) => {
    if (a.kind === 'output') return device.eq(instance.claim[a.output], shape[j]);
    return a.kind === 'half'
      ? device.eq(
          Array.from({ length: Fr.bitsFor(shape[j]) }, () => Fr.half),
          shape[j],
        )
      : undefined;
  });
  const bound = contractAxes(device, tensor, shape, weights);
  const kept = factor.axes.flatMap((a) => (a.kind === 'summed' ? [a.variable] : []));
  const map = spreadMap(kept, bound.shape, instance.variables);
  return map ? device.gather<FrVector | IntVector>(bound.vector, map) : bound.vector;
}

/**
 * For each entry of the table over `variables` (padded), its position in the row-major array over the variables `kept`
 * of the given lengths, or -1 in the padding. Undefined where that is the identity.
 */
function spreadMap(
  kept: readonly number[],
  lengths: readonly number[],
  variables: readonly number[],
): Int32Array | undefined {
  const strideOf = new Map(kept.map((v, j) => [v, lengths.slice(j + 1).reduce((n, d) => n * d, 1)] as const));
  const inOrder = kept.length === variables.length && kept.every((v, j) => v === j);
  // Only the first variable may be short: trailing zeros may be left out of a table.
  if (inOrder && variables.slice(1).every((n) => n === 2 ** Fr.bitsFor(n))) return undefined;
  let map = Int32Array.of(0);
  for (const [v, own] of variables.entries()) {
    const stride = strideOf.get(v);
    // A table that does not depend on a variable is constant in its padding, too; the other factors are zero there.
    const length = stride === undefined ? 2 ** Fr.bitsFor(own) : own;
    const padded = v === 0 ? length : 2 ** Fr.bitsFor(own);
    const next = new Int32Array(map.length * padded).fill(-1);
    for (const [k, base] of map.entries())
      if (base >= 0) for (let i = 0; i < length; i++) next[k * padded + i] = base + i * (stride ?? 0);
    map = next;
  }
  return map;
}

/** The weights of a view's claim over the padded axes of the tensor it views. */
function viewTable(device: Device, program: GadgetProgram, view: number, claim: AxisPoints): FrVector {
  const t = program.tensors[view];
  if (t.class.kind !== 'view') throw new Error(`internal error: ${t.name} is no view`);
  const of = program.tensors[t.class.of].shape;
  const map = viewMap(t.shape, of, t.class.at, t.class.guards);
  const eq = claim.reduce(
    (rows, p, j) => rows.flatMap((a) => Fr.eqTable(p, t.shape[j]).map((e) => Fr.mul(a, e))),
    [1n],
  );
  const weights = Array.from({ length: of.reduce((n, d) => n * d, 1) }, () => 0n);
  for (const [i, position] of map.entries()) if (position >= 0) weights[position] = Fr.add(weights[position], eq[i]);
  const spread = spreadMap(
    of.map((_, j) => j),
    of,
    of,
  );
  const vector = device.frVector(weights);
  return spread ? device.gather(vector, spread) : vector;
}
