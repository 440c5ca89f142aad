/** The prover's fraction tree for `protocol/lookup.ts`, on the device. */
import type { Device, FrVector, Table } from '../device/device.ts';
import { add, constant, mul, sub, table, type Expression } from '../device/expression.ts';
import type { Held } from './held.ts';
import { leafSections, type LookupPlan, type TreeProver } from '../protocol/lookup.ts';
import { mul as times, neg } from '../protocol/scalar.ts';

/** The looked-up integers of each column of a plan and the multiplicities of each table. */
export interface LookupWitness {
  /** values[c]: the 2^(rowBits + columnBits) values of column c, row-major. */
  readonly values: readonly Int32Array[];
  readonly multiplicities: readonly Int32Array[];
}

/** Both halves of a layer's numerators and denominators, in memory of its own. */
interface Layer {
  readonly p: readonly [Table, Table];
  readonly q: readonly [Table, Table];
  release(): void;
}

const sumNumerator = add(mul(table(0), table(3)), mul(table(1), table(2)));
const sumDenominator = mul(table(0), table(1));
/** p0 q1 + q0 (p1 + lambda q1) over the tables p0, p1, q0, q1. */
const summand = add(mul(table(0), table(3)), mul(table(2), add(table(1), mul(constant(0), table(3)))));
/** 1 + inside * (alpha - beta id - value - 1) over the tables value, id, inside. */
const leaf = add(constant(0), mul(table(2), sub(sub(constant(1), mul(constant(2), table(1))), table(0))));
/** The same less beta^2 second, for pairs: the tables value, id, inside, second. */
const pairLeaf = add(
  constant(0),
  mul(table(2), sub(sub(sub(constant(1), mul(constant(2), table(1))), table(0)), mul(constant(3), table(3)))),
);

/** The leaves of a tree, before the challenges: numerator / (alpha - beta id - value - beta^2 second), or 0 / 1. */
export interface Leaves {
  readonly depth: number;
  /** Each of 2^depth entries. */
  readonly numerators: LeafEntries;
  readonly values: LeafEntries;
  readonly ids: Int16Array;
  /** 1, or 0 for an absent leaf. */
  readonly inside: Int16Array;
  readonly seconds?: LeafEntries;
}

/** Integers; a dishonest prover's may be any field elements. */
export type LeafEntries = Int32Array | readonly bigint[];

const onDevice = (device: Device, v: LeafEntries | Int16Array): Table =>
  v instanceof Int32Array || v instanceof Int16Array ? device.intVector(v) : device.frVector(v);

function rangeLeaves(plan: LookupPlan, witness: LookupWitness): Leaves {
  const { sections, depth } = leafSections(plan);
  const size = 2 ** depth;
  const [numerators, values] = [new Int32Array(size), new Int32Array(size)];
  const [ids, inside] = [new Int16Array(size), new Int16Array(size)];
  for (const s of sections) {
    const bits = s.kind === 'table' ? plan.tables[s.index].bits : plan.tables[plan.columns[s.index].table].bits;
    const end = s.offset + 2 ** s.bits;
    ids.fill(bits, s.offset, end);
    inside.fill(1, s.offset, end);
    if (s.kind === 'column') {
      numerators.fill(1, s.offset, end);
      values.set(witness.values[s.index], s.offset);
    } else
      for (let t = 0; t < 2 ** s.bits; t++) {
        numerators[s.offset + t] = -witness.multiplicities[s.index][t];
        values[s.offset + t] = t;
      }
  }
  return { depth, numerators, values, ids, inside };
}

export const treeProver = (device: Device, plan: LookupPlan, witness: LookupWitness, held: Held): TreeProver =>
  fractionProver(device, () => rangeLeaves(plan, witness), held);

/**
 * The tree over any leaves; `make` is called once, after the challenges. A tree takes most of a proof's memory.
 * @param held has the tree's layers, each until it has served
 * @param progress hears which part of the work is done, from 0 to 1
 */
export function fractionProver(
  device: Device,
  make: () => Leaves,
  held: Held,
  progress: (part: number) => Promise<void> = () => Promise.resolve(),
): TreeProver {
  const layers: Layer[] = [];
  const kernel = device.prepare(summand);
  const half = (v: Table, k: 0 | 1): Table => device.slice(v, (k * v.length) / 2, v.length / 2);
  const layerOf = async (p: () => Promise<Table>, q: () => Promise<Table>): Promise<Layer> => {
    const halves = (whole: () => Promise<Table>) =>
      held.make(async () => {
        const v = await whole();
        return v.length === 1 ? ([v, v] as const) : ([half(v, 0), half(v, 1)] as const);
      });
    const [numerators, denominators] = [await halves(p), await halves(q)];
    const release = (): void => {
      numerators.release();
      denominators.release();
    };
    return { p: numerators.value, q: denominators.value, release };
  };
  return {
    async build(alpha, beta) {
      const { depth, numerators, values, ids, inside, seconds } = make();
      const size = 2 ** depth;
      // The constant under `inside` is alpha - 1, so that absent leaves have denominator 1.
      const constants = [1n, minusOne(alpha), beta, ...(seconds ? [times(beta, beta)] : [])];
      const expression = seconds ? pairLeaf : leaf;
      layers[depth] = await device.scope(async () => {
        const tables = [values, ids, inside, ...(seconds ? [seconds] : [])].map((v) => onDevice(device, v));
        return layerOf(
          async () => onDevice(device, numerators),
          async () => device.map(device.prepare(expression), tables, constants, size),
        );
      });
      await progress(BUILDING / 2);
      for (let j = depth - 1; j >= 0; j--) {
        const { p, q } = layers[j + 1];
        const map = async (e: Expression, tables: readonly Table[]) =>
          device.map(device.prepare(e), tables, [], 2 ** j);
        layers[j] = await layerOf(
          () => map(sumNumerator, [...p, ...q]),
          () => map(sumDenominator, q),
        );
      }
      await progress(BUILDING);
      return (await device.readFr(layers[0].q[0] as FrVector))[0];
    },
    layer(j, point, lambda) {
      const { p, q } = layers[j + 1];
      let release = (): void => layers[j + 1].release();
      let tables: readonly Table[] = [...p, ...q];
      let variables = j;
      return Promise.resolve({
        round(points) {
          const rest = point.slice(point.length - variables + 1);
          const split = rest.length >> 1;
          return device.scope(() => {
            const weights = {
              outer: device.eq(rest.slice(0, split)),
              inner: device.eq(rest.slice(split)),
              innerBits: rest.length - split,
            };
            return device.round(kernel, tables, [lambda], variables, points, weights);
          });
        },
        async bind(x) {
          const folded = await held.make(async () => device.fold(tables, variables, x));
          release();
          tables = folded.value;
          release = folded.release;
          variables--;
        },
        async children() {
          const values: bigint[] = [];
          await device.scope(async () => {
            for (const t of tables) values.push((await device.readFr(t.kind === 'fr' ? t : device.lift(t)))[0]);
          });
          release();
          await progress(BUILDING + (1 - BUILDING) * 2 ** (j + 2 - layers.length));
          return values;
        },
      });
    },
  };
}

/** The share of a tree's work that building it is. */
const BUILDING = 0.25;

const minusOne = (alpha: bigint): bigint => (alpha === 0n ? neg(1n) : alpha - 1n);
