/** What follows from a program alone, for those who prove or verify it more than once. */
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { fromBigints, type IntegerArray } from '../../integers/arrays.ts';
import { digitMap, maskValues, viewMap, viewParts, type ViewPart } from './views.ts';

interface ProgramData {
  /** Entries of constants, by tensor. */
  readonly constants: Map<number, IntegerArray>;
  /** Positions that views and digits take, by tensor. */
  readonly maps: Map<number, Int32Array>;
  readonly parts: Map<number, readonly ViewPart[]>;
  readonly tables: Map<number, Int32Array>;
}

const data = new WeakMap<GadgetProgram, ProgramData>();

/** A verifier's proofs are of one program: what takes longer to make than to use is kept as long as the program is. */
function dataOf(program: GadgetProgram): ProgramData {
  const kept = data.get(program) ?? { constants: new Map(), maps: new Map(), parts: new Map(), tables: new Map() };
  data.set(program, kept);
  return kept;
}

function once<T>(made: Map<number, T>, key: number, make: () => T): T {
  const value = made.get(key) ?? make();
  made.set(key, value);
  return value;
}

export const constantOf = (program: GadgetProgram, id: number): IntegerArray =>
  once(dataOf(program).constants, id, () => {
    const { class: c, range, shape } = program.tensors[id];
    if (c.kind !== 'constant') throw new Error(`internal error: ${program.tensors[id].name} is no constant`);
    return c.values ? fromBigints(range, c.values) : maskValues(shape, c.guards ?? []);
  });

export const mapOf = (program: GadgetProgram, id: number): Int32Array =>
  once(dataOf(program).maps, id, () => {
    const { class: c, name, shape } = program.tensors[id];
    if (c.kind === 'digits') return digitMap(shape, program.tensors[c.of].shape, c.axes);
    if (c.kind === 'view') return viewMap(shape, program.tensors[c.of].shape, c.at, c.guards);
    throw new Error(`internal error: ${name} is no view`);
  });

export const partsOf = (program: GadgetProgram, id: number): readonly ViewPart[] =>
  once(dataOf(program).parts, id, () => {
    const { class: c, name, shape } = program.tensors[id];
    if (c.kind !== 'view') throw new Error(`internal error: ${name} is no view`);
    return viewParts(shape, program.tensors[c.of].shape, c.at, c.guards);
  });

export const tableOf = (program: GadgetProgram, table: number): Int32Array =>
  once(dataOf(program).tables, table, () => {
    const t = program.tables[table];
    if (t.kind !== 'function') throw new Error('internal error: a range has a closed form');
    return Int32Array.from(t.values, Number);
  });
