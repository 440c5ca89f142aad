/** The leaves of a range proof's lookups, for `protocol/lookup/row-lookups.ts`. */
import type { Device } from '../../device/device.ts';
import { rowSections, type RowLookupPlan } from '../../protocol/lookup/row-lookups.ts';
import type { TreeProver } from '../../protocol/lookup/fraction-tree.ts';
import { fractionProver, type FractionOptions } from './fraction-tree.ts';
import type { Held } from '../held.ts';
import { Denominators, type Leaves } from './leaves.ts';

/** The looked-up integers of each column of a plan and the multiplicities of each table. */
export interface RowLookupWitness {
  /** values[c]: the 2^(rowBits + columnBits) values of column c, row-major. */
  readonly values: readonly Int32Array[];
  readonly multiplicities: readonly Int32Array[];
}

function rowLeaves(plan: RowLookupPlan, witness: RowLookupWitness): Leaves {
  const { sections, depth } = rowSections(plan);
  const leaves = sections.reduce((n, s) => n + 2 ** s.bits, 0);
  const denominators = new Denominators();
  // Of looked-up values 1, of table entries the negative multiplicities.
  const numerators = new Int32Array(1 + plan.tables.reduce((n, t) => n + 2 ** t.bits, 0));
  numerators[0] = 1;
  let used = 1;
  const [numeratorIndex, denominatorIndex] = [new Int32Array(leaves), new Int32Array(leaves)];
  const starts = plan.tables.map(({ bits }) => {
    const start = denominators.count;
    for (let t = 0; t < 2 ** bits; t++) denominators.add(t, bits);
    return start;
  });
  for (const s of sections) {
    const own = denominatorIndex.subarray(s.offset, s.offset + 2 ** s.bits);
    if (s.kind === 'table') {
      for (let t = 0; t < own.length; t++) {
        own[t] = starts[s.index] + t;
        numeratorIndex[s.offset + t] = used;
        numerators[used++] = -witness.multiplicities[s.index][t];
      }
      continue;
    }
    const { table } = plan.columns[s.index];
    const [start, { bits }, looked] = [starts[table], plan.tables[table], witness.values[s.index]];
    // A dishonest prover's values may be in no table.
    for (let i = 0; i < own.length; i++) {
      const v = looked[i];
      own[i] = v >= 0 && v < 2 ** bits ? start + v : denominators.add(v, bits);
    }
  }
  return {
    depth,
    numerators,
    denominators: denominators.take(false),
    numeratorIndex,
    denominatorIndex,
  };
}

export const rowLookupProver = (
  device: Device,
  plan: RowLookupPlan,
  witness: RowLookupWitness,
  held: Held,
  options?: FractionOptions,
): TreeProver => fractionProver(device, () => rowLeaves(plan, witness), held, options);
