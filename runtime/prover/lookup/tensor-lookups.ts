/** The prover's side of `protocol/lookup/tensor-lookups.ts`: looked-up values, multiplicities, and the leaves of the tree. */
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { tensorSections, tableSize, type BoxSide } from '../../protocol/lookup/tensor-lookups.ts';
import { SPLIT_BITS } from '../../kernels/expression.ts';
import { bitsFor } from '../../protocol/scalar.ts';
import { Denominators, type Leaves } from './leaves.ts';
import { isSmall, type ComputedIntegers } from '../../integers/arrays.ts';
import type { Witness } from '../../evaluate/witness/witness.ts';

export interface LookedUp {
  /** Of each lookup, row-major over its tensor: the entry of the table that it is. */
  readonly values: readonly Int32Array[];
  /** Of each table. */
  readonly multiplicities: readonly Int32Array[];
}

/** @throws Error for a value that is not in its table: the steps say what is, so that would be a mistake of the compiler. */
export function lookUp(program: GadgetProgram, witness: Witness): LookedUp {
  const multiplicities = program.tables.map((t) => new Int32Array(tableSize(t)));
  const values = program.lookups.map(({ tensor, table, offset, shift }) => {
    const own = positions(witness.numbers(tensor), offset, shift);
    const m = multiplicities[table];
    for (let i = 0; i < own.length; i++) {
      const v = own[i];
      if (v < 0 || v >= m.length)
        throw new Error(`internal error: entry ${i} of ${program.tensors[tensor].name} is not in its table`);
      m[v]++;
    }
    return own;
  });
  return { values, multiplicities };
}

/** (entry + offset) / 2^shift, or -1 where that is no small integer. */
function positions(of: ComputedIntegers, offset: bigint, shift: number): Int32Array {
  const out = new Int32Array(of.length);
  if (!isSmall(of)) {
    for (let i = 0; i < out.length; i++) {
      const v = of[i] + offset;
      out[i] = v < 0n || v >> BigInt(shift + 31) !== 0n ? -1 : Number(v >> BigInt(shift));
    }
    return out;
  }
  // A power of two: multiplying is exact, and quicker than dividing.
  const [start, by] = [Number(offset), 2 ** -shift];
  for (let i = 0; i < out.length; i++) {
    const v = (of[i] + start) * by;
    out[i] = v >= 0 && v < 2 ** 31 ? v : -1;
  }
  return out;
}

export function tensorLeaves(program: GadgetProgram, witness: Witness, { values, multiplicities }: LookedUp): Leaves {
  const { sections, depth } = tensorSections(program);
  const leaves = sections.reduce((n, s) => n + 2 ** s.bits, 0);
  const [numeratorIndex, denominatorIndex] = [new Int32Array(leaves), new Int32Array(leaves)];
  // Numerators: 0 where a box reaches beyond its tensor, 1 for looked-up values, and those of table entries.
  const numerators = new Int32Array(2 + program.tables.reduce((n, t) => n + tableSize(t), 0));
  numerators[1] = 1;
  let used = 2;
  const entries = new Denominators();
  // The entries of a range follow each other: one of them stands for many.
  const [low, each] = [SPLIT_BITS, 2 ** SPLIT_BITS];
  const starts = program.tables.map((t, id) => {
    const start = entries.count * each;
    const size = 2 ** bitsFor(tableSize(t));
    if (t.kind === 'function') for (let i = 0; i < size; i++) entries.add(i, id, Number(t.values[i] ?? 0));
    else for (let i = 0; i < size; i += each) entries.add(i, id);
    return start;
  });
  const steps = program.tables.map((t) => (t.kind === 'function' ? each : 1));
  for (const s of sections) {
    const own = denominatorIndex.subarray(s.offset, s.offset + 2 ** s.bits);
    const above = numeratorIndex.subarray(s.offset, s.offset + 2 ** s.bits);
    if (s.kind === 'table') {
      const m = multiplicities[s.index];
      for (let i = 0; i < own.length; i++) own[i] = starts[s.index] + i * steps[s.index];
      for (let i = 0; i < m.length; i++) {
        above[i] = used;
        numerators[used++] = -m[i];
      }
      continue;
    }
    const { tensor, table, offset, shift, value } = program.lookups[s.index];
    const { shape } = program.tensors[tensor];
    const [start, step, looked] = [starts[table], steps[table], values[s.index]];
    // Beyond the tensor its extension is 0, of which the lookup's offset is left.
    if (s.box.some((side) => side.inside < 2 ** side.bits))
      own.fill(entries.add(Number(offset / 2n ** BigInt(shift)), table, 0) * each);
    copyBox(shape, s.box, (from, to, count) => {
      above.fill(1, to, to + count);
      for (let i = 0; i < count; i++) own[to + i] = start + step * looked[from + i];
    });
    if (value === undefined) continue;
    const beside = witness.numbers(value);
    copyBox(shape, s.box, (from, to, count) => {
      for (let i = 0; i < count; i++) {
        const second = Number(beside[from + i]);
        if (second !== entries.second(own[to + i] >> low))
          own[to + i] = entries.add(looked[from + i], table, second) * each;
      }
    });
  }
  if (entries.count > 2 ** (31 - low)) throw new RangeError(`${entries.count} different denominators are too many`);
  const paired = program.tables.some((t) => t.kind === 'function');
  return {
    depth,
    numerators,
    denominators: entries.take(paired),
    numeratorIndex,
    denominatorIndex,
    split: true,
  };
}

/**
 * Calls `copy` for every run from the row-major tensor to the box, whose sides are powers of two: along the last axis, or the
 * last axes where the box has all of them.
 */
function copyBox(
  shape: readonly number[],
  box: readonly BoxSide[],
  copy: (from: number, to: number, count: number) => void,
): void {
  let [last, size] = [box.length - 1, 1];
  while (last > 0 && shape[last] === box[last].inside && box[last].inside === 2 ** box[last].bits)
    size *= shape[last--];
  const walk = (axis: number, from: number, to: number): void => {
    if (axis === box.length) return copy(from, to, 1);
    const side = box[axis];
    if (axis === last)
      return copy(size * (from * shape[axis] + side.first), size * to * 2 ** side.bits, size * side.inside);
    for (let i = 0; i < side.inside; i++) walk(axis + 1, from * shape[axis] + side.first + i, to * 2 ** side.bits + i);
  };
  walk(0, 0, 0);
}
