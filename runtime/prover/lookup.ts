/** The prover's fraction tree for `protocol/lookup.ts`, on the device. */
import type { Device, FrVector } from '../device/device.ts';
import { add, constant, mul, sub, table } from '../device/expression.ts';
import { leafSections, type LookupPlan, type TreeProver } from '../protocol/lookup.ts';
import { mul as times, neg } from '../protocol/scalar.ts';

/** The looked-up integers of each column of a plan and the multiplicities of each table. */
export interface LookupWitness {
  /** values[c]: the 2^(rowBits + columnBits) values of column c, row-major. */
  readonly values: readonly Int32Array[];
  readonly multiplicities: readonly Int32Array[];
}

interface Layer {
  readonly p: FrVector;
  readonly q: FrVector;
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

const onDevice = (device: Device, v: LeafEntries | Int16Array): FrVector =>
  v instanceof Int32Array || v instanceof Int16Array ? device.lift(device.intVector(v)) : device.frVector(v);

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

export const treeProver = (device: Device, plan: LookupPlan, witness: LookupWitness): TreeProver =>
  fractionProver(device, () => rangeLeaves(plan, witness));

/** The tree over any leaves; `make` is called once, after the challenges. */
export function fractionProver(device: Device, make: () => Leaves): TreeProver {
  const layers: Layer[] = [];
  return {
    async build(alpha, beta) {
      const { depth, numerators, values, ids, inside, seconds } = make();
      const size = 2 ** depth;
      const lifted = [values, ids, inside, ...(seconds ? [seconds] : [])].map((v) => onDevice(device, v));
      // The constant under `inside` is alpha - 1, so that absent leaves have denominator 1.
      const constants = [1n, minusOne(alpha), beta, ...(seconds ? [times(beta, beta)] : [])];
      const q = device.map(device.prepare(seconds ? pairLeaf : leaf), lifted, constants, size);
      layers[depth] = { p: onDevice(device, numerators), q };
      for (let j = depth - 1; j >= 0; j--) layers[j] = parents(device, layers[j + 1], 2 ** j);
      return (await device.readFr(layers[0].q))[0];
    },
    layer(j, point, lambda) {
      const half = 2 ** j;
      const { p, q } = layers[j + 1];
      let tables = [p, p, q, q].map((v, i) => device.slice(v, i % 2 === 0 ? 0 : half, half));
      const kernel = device.prepare(summand);
      let variables = j;
      return Promise.resolve({
        round(points) {
          const rest = point.slice(point.length - variables + 1);
          const split = rest.length >> 1;
          const weights = {
            outer: device.eq(rest.slice(0, split)),
            inner: device.eq(rest.slice(split)),
            innerBits: rest.length - split,
          };
          return device.round(kernel, tables, [lambda], variables, points, weights);
        },
        bind(x) {
          tables = device.fold(tables, variables, x);
          variables--;
          return Promise.resolve();
        },
        async children() {
          const values: bigint[] = [];
          for (const t of tables) values.push((await device.readFr(t))[0]);
          return values;
        },
      });
    },
  };
}

const minusOne = (alpha: bigint): bigint => (alpha === 0n ? neg(1n) : alpha - 1n);

function parents(device: Device, { p, q }: Layer, half: number): Layer {
  const [p0, p1] = [device.slice(p, 0, half), device.slice(p, half, half)];
  const [q0, q1] = [device.slice(q, 0, half), device.slice(q, half, half)];
  return {
    p: device.map(device.prepare(sumNumerator), [p0, p1, q0, q1], [], half),
    q: device.map(device.prepare(sumDenominator), [q0, q1], [], half),
  };
}
