/** The prover's side of `protocol/program-lookups.ts`: looked-up values, multiplicities, and the leaves of the tree. */
import type { GadgetProgram } from '../../compiler/gadget/program.ts';
import { programSections, tableSize, type BoxSide } from '../protocol/program-lookups.ts';
import type { Leaves } from './lookup.ts';
import type { Numbers } from './sums.ts';
import type { Witness } from './witness.ts';

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
function positions(of: Numbers, offset: bigint, shift: number): Int32Array {
  const out = new Int32Array(of.length);
  if (Array.isArray(of)) {
    for (let i = 0; i < out.length; i++) {
      const v = of[i] + offset;
      out[i] = v < 0n || v >> BigInt(shift + 31) !== 0n ? -1 : Number(v >> BigInt(shift));
    }
    return out;
  }
  const [start, by] = [Number(offset), 2 ** shift];
  for (let i = 0; i < out.length; i++) {
    const v = (of[i] + start) / by;
    out[i] = v >= 0 && v < 2 ** 31 ? v : -1;
  }
  return out;
}

export function programLeaves(program: GadgetProgram, witness: Witness, { values, multiplicities }: LookedUp): Leaves {
  const { sections, depth } = programSections(program);
  const size = 2 ** depth;
  const [numerators, own] = [new Int32Array(size), new Int32Array(size)];
  const [ids, inside] = [new Int16Array(size), new Int16Array(size)];
  const paired = program.tables.some((t) => t.kind === 'function');
  const seconds = paired ? new Int32Array(size) : undefined;
  for (const s of sections) {
    const end = s.offset + 2 ** s.bits;
    inside.fill(1, s.offset, end);
    if (s.kind === 'table') {
      const t = program.tables[s.index];
      const m = multiplicities[s.index];
      ids.fill(s.index, s.offset, end);
      for (let i = 0; i < end - s.offset; i++) own[s.offset + i] = i;
      for (let i = 0; i < m.length; i++) numerators[s.offset + i] = -m[i];
      if (t.kind === 'function') for (const [i, v] of t.values.entries()) seconds![s.offset + i] = Number(v);
      continue;
    }
    const { tensor, table, offset, shift, value } = program.lookups[s.index];
    ids.fill(table, s.offset, end);
    const { shape } = program.tensors[tensor];
    // Beyond the tensor its extension is 0, of which the lookup's offset is left.
    own.fill(Number(offset / 2n ** BigInt(shift)), s.offset, end);
    copyBox(shape, s.box, (from, to, count) => {
      own.set(values[s.index].subarray(from, from + count), s.offset + to);
      numerators.fill(1, s.offset + to, s.offset + to + count);
    });
    if (value !== undefined && seconds) {
      const beside = witness.numbers(value);
      copyBox(shape, s.box, (from, to, count) => {
        for (let i = 0; i < count; i++) seconds[s.offset + to + i] = Number(beside[from + i]);
      });
    }
  }
  return { depth, numerators, values: own, ids, inside, ...(seconds ? { seconds } : {}) };
}

/** Calls `copy` for every run along the last axis: from the row-major tensor to the box, whose sides are powers of two. */
function copyBox(
  shape: readonly number[],
  box: readonly BoxSide[],
  copy: (from: number, to: number, count: number) => void,
): void {
  const walk = (axis: number, from: number, to: number): void => {
    if (axis === box.length) return copy(from, to, 1);
    const side = box[axis];
    if (axis === box.length - 1) return copy(from * shape[axis] + side.first, to * 2 ** side.bits, side.inside);
    for (let i = 0; i < side.inside; i++) walk(axis + 1, from * shape[axis] + side.first + i, to * 2 ** side.bits + i);
  };
  walk(0, 0, 0);
}
