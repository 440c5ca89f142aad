/** Operations of the WebGPU device on expressions and tables: maps, sumcheck rounds, folds, inner products. */
import type { SumcheckPoint } from '../../../kernels/expression.ts';
import * as kernels from '../../../kernels/wgsl/vectors/elementwise.ts';
import * as rounds from '../../../kernels/wgsl/vectors/rounds.ts';
import { WORKGROUP } from '../../../kernels/wgsl/access.ts';
import type { TableType } from '../../../kernels/wgsl/vectors/expression.ts';
import type { Device, FrVector, Kernel, AnyTable } from '../../device.ts';
import { degree, tableCount, vanishesAtZero } from '../../../kernels/expression.ts';
import { Fr } from '../../../field/spec.ts';
import * as check from '../../shapes.ts';
import type { KernelSource } from '../pipelines.ts';
import type { Params } from '../memory/params.ts';
import { partsOf, splitPoints, type Part } from './split.ts';
import type { AnyVector, Store } from '../memory/store.ts';
import type { GpuData } from '../memory/vectors.ts';

/** Workgroups that a sum is spread over at most. */
const GROUPS = 2 ** 11;

/** Points in one kernel at most: the values of all tables at all of them are held at once. */
const MAX_POINTS = 4;

type Weights = NonNullable<Parameters<Device['round']>[5]>;

export function sumcheckOperations(
  store: Store,
): Pick<Device, 'prepare' | 'map' | 'space' | 'round' | 'fold' | 'inner'> {
  const { gpu, host } = store;
  const hosts = (tables: readonly AnyTable[]): AnyTable[] =>
    tables.map((t) =>
      t.kind === 'indexed'
        ? { ...t, entries: store.hostOf(t.entries), index: store.hostOf(t.index) }
        : store.hostOf<AnyVector>(t),
    );

  return {
    prepare: (expression) => ({ expression }),

    map({ expression }, tables, constants, length, into) {
      check.checkArguments(expression, tables.length, constants.length);
      check.checkIndexed(tables);
      check.checkInto(into, length);
      const used = tables.slice(0, tableCount(expression));
      if (into === undefined && store.onHost(vectorsOf(used), length))
        return store.adopt(host.map({ expression }, hosts(used), constants, length));
      const out = into === undefined ? store.newFr(length) : store.writable(into);
      // Parts after the first are added to what is there.
      for (const [k, part] of partsOf(expression, store.tuning.products).entries()) {
        const params = store.params().quad(length).vector(out.gpu!);
        withInputs(store, params, part, used, constants);
        const how = k === 0 ? (part.negative ? 'negated' : 'set') : part.negative ? 'subtract' : 'add';
        gpu.dispatch(kernels.map(part.expression, typesOf(part, used), how), params.finish(), length);
      }
      return out;
    },

    space: (length) => store.newFr(length),

    async round(kernel, tables, constants, variables, points, weights) {
      check.checkTables(tables, variables);
      check.checkIndexed(tables);
      check.checkArguments(kernel.expression, tables.length, constants.length);
      if (points.length === 0) return [];
      const used = tables.slice(0, tableCount(kernel.expression));
      const weightVectors = [weights?.outer, weights?.inner].filter((v) => v !== undefined);
      // The last rounds are not worth a trip to the GPU each: tables come to the host once, and stay.
      if (store.belongsOnHost(2 ** variables)) {
        await store.bringToHost([...vectorsOf(tables), ...weightVectors]);
        const own = weights && {
          ...(weights.outer && { outer: store.hostOf(weights.outer) }),
          ...(weights.inner && { inner: store.hostOf(weights.inner) }),
          innerBits: weights.innerBits,
        };
        return host.round(kernel, hosts(tables), constants, variables, points, own);
      }
      return round(store, kernel, used, constants, variables, points, weights);
    },

    fold(tables, variables, x) {
      check.checkTables(tables, variables);
      check.checkIndexed(tables);
      const half = 2 ** (variables - 1);
      return tables.map((t) => {
        const length = Math.min(half, t.length);
        if (store.onHost(vectorsOf([t]), t.length)) return store.adopt(host.fold(hosts([t]), variables, x)[0]);
        const out = store.newFr(length);
        const own = t.kind === 'indexed' ? t.index : t;
        const params = store.params().quad(length, half).vector(out.gpu!).vector(store.onGpu(own)).fr(x);
        if (t.kind === 'indexed') params.vector(store.onGpu(t.entries));
        gpu.dispatch(kernels.fold(typeOf(t)), params.finish(), length);
        return out;
      });
    },

    async inner(a, b) {
      const length = Math.min(a.length, b.length);
      if (store.belongsOnHost(length)) {
        await store.bringToHost([a, b]);
        return host.inner(store.hostOf(a), store.hostOf(b));
      }
      const params = (groups: number, out: GpuData): Params =>
        store.params().quad(0, length, groups).vector(out).vector(store.onGpu(a)).vector(store.onGpu(b));
      return (await sums(store, [{ kernel: rounds.inner, entries: length, count: 1, params }]))[0][0];
    },
  };
}

const typeOf = (t: AnyTable): TableType => {
  if (t.kind === 'int') return t.bytes;
  return t.kind === 'indexed' && t.split ? 'split' : t.kind;
};
const vectorsOf = (tables: readonly AnyTable[]): AnyVector[] =>
  tables.flatMap((t): AnyVector[] => (t.kind === 'indexed' ? [t.index, t.entries] : [t]));
const typesOf = (part: Part, tables: readonly AnyTable[]): TableType[] => part.tables.map((t) => typeOf(tables[t]));

/** Appends the constants and tables that a part reads. */
function withInputs(
  store: Store,
  params: Params,
  part: Part,
  tables: readonly AnyTable[],
  constants: readonly bigint[],
): void {
  for (const k of part.constants) params.fr(constants[k]);
  for (const k of part.tables) for (const v of vectorsOf([tables[k]])) params.vector(store.onGpu(v));
}

async function round(
  store: Store,
  { expression }: Kernel,
  tables: readonly AnyTable[],
  constants: readonly bigint[],
  variables: number,
  points: readonly SumcheckPoint[],
  weights: Weights | undefined,
): Promise<bigint[]> {
  const half = 2 ** (variables - 1);
  const innerBits = weights?.innerBits ?? 0;
  // Where the outer weights have ended there is nothing to add.
  const within = weights?.outer ? Math.min(half, weights.outer.length * 2 ** innerBits) : half;
  const none = { segments: { blocks: [], shift: 0 }, offset: 0, length: 0 };
  const weight = (v: FrVector | undefined): GpuData => (v === undefined ? none : store.onGpu(v));
  const [outer, inner] = [weight(weights?.outer), weight(weights?.inner)];
  const flags = [weights?.outer, weights?.inner].map((v) => (v === undefined ? 0 : 1));

  const jobs: (Job & { readonly part: Part; readonly points: readonly SumcheckPoint[] })[] = [];
  for (const part of partsOf(expression, store.tuning.products)) {
    // A part of lower degree has no share in the leading coefficient.
    const own = points.filter((x) => x !== 'inf' || degree(part.expression) === degree(expression));
    const longest = Math.max(0, ...part.tables.map((t) => Math.min(half, tables[t].length)));
    const entries = vanishesAtZero(part.expression) ? Math.min(longest, within) : within;
    for (const some of splitPoints(own, MAX_POINTS))
      jobs.push({
        part,
        points: some,
        kernel: rounds.round(store.gpu.fr, part.expression, typesOf(part, tables), some, flags.includes(1)),
        entries,
        count: some.length,
        params: (groups, out) => {
          const params = store.params().quad(half, entries, groups, innerBits);
          params.vector(out).vector(outer).vector(inner).quad(flags[0], flags[1]);
          withInputs(store, params, part, tables, constants);
          return params;
        },
      });
  }
  const values = await sums(store, jobs);
  return points.map((x) => {
    let sum = 0n;
    for (const [k, { part, points: own }] of jobs.entries()) {
      const i = own.indexOf(x);
      if (i >= 0) sum = part.negative ? Fr.sub(sum, values[k][i]) : Fr.add(sum, values[k][i]);
    }
    return sum;
  });
}

/** A kernel that makes `count` sums over `entries` entries. */
interface Job {
  readonly kernel: KernelSource;
  readonly entries: number;
  readonly count: number;
  params(groups: number, out: GpuData): Params;
}

/** Runs jobs and reads their sums, with one wait. */
async function sums(store: Store, jobs: readonly Job[]): Promise<bigint[][]> {
  const total = store.looseFr(jobs.reduce((n, job) => n + job.count, 0));
  try {
    let at = 0;
    for (const { kernel, entries, count, params } of jobs) {
      const groups = Math.max(1, Math.min(GROUPS, Math.ceil(entries / WORKGROUP)));
      const partial = store.looseFr(groups * count);
      store.gpu.dispatch(kernel, params(groups, partial.gpu!).finish(), groups * WORKGROUP);
      sumVector(store, partial.gpu!, { ...total.gpu!, offset: at, length: count }, count, groups);
      partial.free();
      at += count;
    }
    const values = await store.readMontgomery(total);
    at = 0;
    return jobs.map(({ count }) => values.slice(at, (at += count)));
  } finally {
    total.free();
  }
}

/** out[k] = the sum of `each` entries from k * each on. */
export function sumVector(store: Store, v: GpuData, out: GpuData, count: number, each: number): void {
  const params = store.params().quad(count, each).vector(out).vector(v);
  store.gpu.dispatch(rounds.sum, params.finish(), count * WORKGROUP);
}
