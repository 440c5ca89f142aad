/**
 * The layers of a fraction tree on the device. Layer l has 2^l fractions, entry i the sum of entries i and i + 2^l of layer
 * l + 1. So a stretch of a layer comes from stretches of any layer below, and those layers that memory has no room for are
 * rebuilt from the leaves, a stretch at a time, whenever they are needed.
 */
import type { AnyTable, Device, FrVector } from '../../device/device.ts';
import { add, constant, mul, table } from '../../kernels/expression.ts';
import { add as plus } from '../../protocol/scalar.ts';
import type { Held } from '../held.ts';
import { constantSum, leafRuns, plainSum } from './constant-numerators.ts';
import type { DeviceLeaves } from './leaves.ts';

/** A stretch of a layer: numerators, and denominators less 1. */
export interface Fractions<V = AnyTable> {
  readonly p: V;
  readonly q: V;
}

/** What a tree may take, as the logarithm of a number of entries. */
export interface TreeBudget {
  /** The largest layer that is kept; the layers above it take as much again. */
  readonly layer: number;
  /** The largest tables that are folded as a whole: four of them, and half as much for what they are folded to. */
  readonly fold: number;
  /** Of a stretch. */
  readonly stretch: number;
}

/** No longer than the caches are large. */
const LONGEST_STRETCH = 16;

/** Of a tree that keeps the layers up to one with 2^layer entries, and tables of as many. */
export const treeBytes = (layer: number, element: number): number => FOLD_TIMES * element * 2 ** layer;

/** Entries in all for each of a layer and those above it, and for each of the largest tables that are folded. */
const [LAYER_TIMES, FOLD_TIMES] = [5.5, 6];

/** For so many bytes of field elements, `element` each: the largest powers of two that fit. A tree needs a few in any case. */
export function treeBudget(bytes: number, element: number, depth: number): TreeBudget {
  const fitting = (times: number): number => {
    const most = Math.floor(Math.log2(Math.max(1, bytes / (times * element))));
    return Math.max(0, Math.min(most, depth));
  };
  // Numerators and denominators of layers 2^l, 2^(l-1), ...; of the last one p1 + lambda q1, and its halves folded once.
  const layer = Math.min(fitting(LAYER_TIMES), Math.max(0, depth - 1));
  return { layer, fold: fitting(FOLD_TIMES), stretch: Math.max(0, Math.min(layer - 4, LONGEST_STRETCH)) };
}

/** Over the tables p0, p1, q0 - 1, q1 - 1 and q0 - 1, q1 - 1: p0 q1 + p1 q0, and q0 q1 - 1. */
const sumNumerator = add(add(add(table(0), table(1)), mul(table(0), table(3))), mul(table(1), table(2)));
const sumDenominator = add(add(table(0), table(1)), mul(table(0), table(1)));

export interface TreeLayers {
  readonly leaves: DeviceLeaves;
  readonly depth: number;
  /** Computes the layers that are kept. */
  build(): Promise<void>;
  /** Whether a layer is kept, and whether it is there: kept, or the leaves. */
  keeps(layer: number): boolean;
  has(layer: number): boolean;
  /** A stretch of a layer that is there: views, of the current scope. Of the leaves it may end early. */
  view(layer: number, start: number, length: number): Fractions;
  /** Entries [start, start + length) of any layer but the leaves' into vectors of that length. */
  fill(layer: number, start: number, length: number, into: Fractions<FrVector>): Promise<void>;
  /** Gives up a layer that was kept. */
  release(layer: number): void;
}

export function treeLayers(device: Device, held: Held, leaves: DeviceLeaves, budget: TreeBudget): TreeLayers {
  const kept = new Map<number, { readonly value: Fractions<FrVector>; release(): void }>();
  const [numerator, denominator] = [sumNumerator, sumDenominator].map((e) => device.prepare(e));
  const [plainKernel, constantKernel] = [plainSum, constantSum].map((e) => device.prepare(e));
  const [fillKernel, copyKernel] = [constant(0), table(0)].map((e) => device.prepare(e));
  const space = (length: number): Fractions<FrVector> => ({ p: device.space(length), q: device.space(length) });
  const part = (v: Fractions<FrVector>, start: number, length: number): Fractions<FrVector> => ({
    p: device.slice(v.p, start, length),
    q: device.slice(v.q, start, length),
  });
  const join = (lo: Fractions, hi: Fractions, length: number, into: Fractions<FrVector>): void => {
    device.map(numerator, [lo.p, hi.p, lo.q, hi.q], [], length, into.p);
    device.map(denominator, [lo.q, hi.q], [], length, into.q);
  };

  const has = (layer: number): boolean => layer === leaves.depth || kept.has(layer);
  const view = (layer: number, start: number, length: number): Fractions => {
    const own = kept.get(layer);
    return own ? part(own.value, start, length) : leaves.stretch(start, length);
  };
  const joinLeaves = async (start: number, length: number, into: Fractions<FrVector>): Promise<void> => {
    const half = 2 ** (leaves.depth - 1);
    for (const run of leafRuns(leaves, start, length, [0, half]))
      await device.scope(async () => {
        const [lo, hi] = [leaves.stretch(run.start, run.length), leaves.stretch(run.start + half, run.length)];
        const own = part(into, run.start - start, run.length);
        if (run.numerators === undefined) return join(lo, hi, run.length, own);
        const [p0, p1] = run.numerators;
        if (hi.q.length === 0) {
          // Nothing to add.
          device.map(fillKernel, [], [p0], run.length, own.p);
          device.map(copyKernel, [lo.q], [], run.length, own.q);
          return;
        }
        const plain = p0 === 1n && p1 === 1n;
        const constants = plain ? [2n] : [plus(p0, p1), p0, p1];
        device.map(plain ? plainKernel : constantKernel, [lo.q, hi.q], constants, run.length, own.p);
        device.map(denominator, [lo.q, hi.q], [], run.length, own.q);
      });
  };
  const fill = async (layer: number, start: number, length: number, into: Fractions<FrVector>): Promise<void> => {
    const other = start + 2 ** layer;
    if (layer + 1 === leaves.depth) return joinLeaves(start, length, into);
    if (has(layer + 1))
      return device.scope(async () =>
        join(view(layer + 1, start, length), view(layer + 1, other, length), length, into),
      );
    const most = 2 ** budget.stretch;
    for (let at = 0; at < length; at += most)
      await device.scope(async () => {
        const count = Math.min(most, length - at);
        const [lo, hi] = [space(count), space(count)];
        await fill(layer + 1, start + at, count, lo);
        await fill(layer + 1, other + at, count, hi);
        join(lo, hi, count, part(into, at, count));
      });
  };
  return {
    leaves,
    depth: leaves.depth,
    keeps: (layer) => kept.has(layer),
    has,
    view,
    fill,
    async build() {
      for (let layer = Math.min(budget.layer, leaves.depth - 1); layer >= 0; layer--) {
        const own = await held.make(() => space(2 ** layer));
        await fill(layer, 0, 2 ** layer, own.value);
        kept.set(layer, own);
      }
    },
    release(layer) {
      kept.get(layer)?.release();
      kept.delete(layer);
    },
  };
}
