/**
 * The prover's fraction tree for `protocol/lookup/fraction-tree.ts`. Where memory is short, layers and the tables of their first rounds
 * exist a stretch at a time; messages are the same.
 */
import type { Device } from '../../device/device.ts';
import type { TreeProver } from '../../protocol/lookup/fraction-tree.ts';
import { add as plus } from '../../protocol/scalar.ts';
import type { Held } from '../held.ts';
import { layerSumcheck, readFirst } from './layer-sumcheck.ts';
import { treeBudget, treeBytes, treeLayers, type TreeBudget, type TreeLayers } from './tree-storage.ts';
import { uploadLeaves, type Leaves } from './leaves.ts';

/** The share of a tree's work that building it is. */
const BUILDING = 0.25;

/** What of the device's free memory a tree takes at most, as other blocks may lie between large free ones. */
const SHARE = 0.75;

/** So much a tree takes in any case, where there is room for it. */
const FREELY = 2 ** 29;

/**
 * Bytes that a tree takes if nothing else is said. The layer above the leaves is as much as all others together, and to rebuild it
 * takes a twentieth of a proof's time at most: only small trees keep it.
 */
export const treeMemory = (free: number, element: number, depth: number): number =>
  Math.min(SHARE * free, Math.max(FREELY, treeBytes(depth - 2, element)));

export interface FractionOptions {
  /** Bytes that the tree's layers may take; default: a share of what the device has free. */
  readonly memory?: number | undefined;
  /** Leaves that are looked at together for a common numerator, a power of two. For tests. */
  readonly block?: number;
  /** Is given the leaves once they are on the device. */
  readonly uploaded?: (leaves: Leaves) => void;
  /** Hears which part of the work is done, from 0 to 1. */
  readonly progress?: (part: number) => Promise<void>;
}

/**
 * The tree over any leaves; `make` is called once, after the challenges.
 * @param held has the tree's layers, each until it has served
 */
export function fractionProver(
  device: Device,
  make: () => Leaves,
  held: Held,
  { memory, block, uploaded, progress = () => Promise.resolve() }: FractionOptions = {},
): TreeProver {
  let layers: TreeLayers;
  let budget: TreeBudget;
  let depth: number;
  let releaseLeaves: () => void;
  return {
    async build(alpha, beta) {
      const made = make();
      const leaves = await held.make(() => uploadLeaves(device, made, alpha, beta, block));
      uploaded?.(made);
      ({ depth } = leaves.value);
      releaseLeaves = leaves.release;
      const { limit, used, element } = device.memory();
      budget = treeBudget(memory ?? treeMemory(limit - used, element, depth), element, depth);
      layers = treeLayers(device, held, leaves.value, budget);
      await progress(BUILDING / 2);
      await layers.build();
      await progress(BUILDING);
      return device.scope(async () => plus(1n, await readFirst(device, layers.view(0, 0, 1).q)));
    },

    async layer(j, point, lambda) {
      const release = (): void => (j + 1 === depth ? releaseLeaves() : layers.release(j + 1));
      const tables = await layerSumcheck(device, held, layers, budget, j, lambda, release);
      return {
        round: (points) => tables.round(points, point.slice(point.length - tables.variables() + 1)),
        bind: (x) => tables.bind(x),
        async children() {
          const values = await tables.last();
          await progress(BUILDING + (1 - BUILDING) * 2 ** (j + 1 - depth));
          return values;
        },
      };
    },
  };
}
