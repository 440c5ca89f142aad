/** One equation of the tensor program after the other: which gadget each definition becomes. */
import type { Equation, Range, TensorProgram } from '../ir/tensor/program.ts';
import type { Builder } from './builder.ts';
import { isBelowMaximum, lowerArgmax, lowerMaximum } from './gadgets/maximum.ts';
import { hasKnownSelector, lowerPublicArgmax } from './gadgets/public-argmax.ts';
import { establish, establishOutput, fixedRange, leaveAsCopy, whole, type Target } from './gadgets/range.ts';
import { lowerRound } from './gadgets/rounding.ts';
import { defineBySelector } from './gadgets/selector.ts';
import { lowerTable, tableBounds } from './gadgets/table.ts';
import type { CommittedClass } from './sources.ts';

/** Secret inputs that no source commits: fixed-point ones are looked up, indices are committed as what selects. */
export function lowerSecrets(b: Builder, program: TensorProgram): void {
  for (const t of secretInputs(program))
    if (t.type?.kind === 'index') defineBySelector(b, t);
    else establish(b, t.id, fixedRange(t.type) ?? t.range, () => undefined);
}

/** Inputs that are neither public nor from a source. */
export const secretInputs = (program: TensorProgram): TensorProgram['tensors'] =>
  program.tensors.filter((t) => t.role === 'input' && t.visibility === 'secret' && !t.file);

/** `equations`: of the program, inlined. `outputs`: where the tensors that leave as commitments are. */
export function lowerEquations(
  b: Builder,
  program: TensorProgram,
  equations: readonly Equation[],
  outputs: ReadonlyMap<number, CommittedClass>,
): void {
  const bounds = tableBounds(program, equations);
  const definitions = new Map(equations.map((e) => [e.target, e.definition] as const));
  const isPublicOutput = (id: number): boolean => {
    const { role, visibility } = program.tensors[id];
    return role === 'output' && visibility === 'public';
  };
  /** A public output is in its range because whoever reads it checks; a hidden value because it is looked up. */
  const inRange = (id: number, range: Range, state: (target: Target) => void): void => {
    if (isPublicOutput(id)) return state(whole(b, id));
    if (b.tensors[id].class.kind === 'committed') return establishOutput(b, id, range, state);
    const table = bounds.get(id);
    if (!table || table.lo < range.lo || table.hi > range.hi) return establish(b, id, range, state);
    b.commit(id);
    state(whole(b, id));
  };
  for (const { target: id, definition: d } of equations) {
    const { type, range } = program.tensors[id];
    switch (d.kind) {
      case 'constant':
        b.constant(id, d.values);
        break;
      case 'polynomial':
        b.compute(id, d.polynomial.terms);
        break;
      case 'round':
        inRange(id, d.clamp ?? fixedRange(type) ?? range, (target) => {
          const shapeOf = (t: number): readonly number[] => program.tensors[t].shape;
          lowerRound(
            b,
            d,
            target,
            isBelowMaximum(d.p.terms, (t) => definitions.get(t), shapeOf),
          );
        });
        break;
      case 'table':
        lowerTable(b, d, program.tables[d.table], id, isPublicOutput(id));
        break;
      case 'max':
        inRange(id, range, (target) => lowerMaximum(b, d, target));
        break;
      case 'argmax':
        if (isPublicOutput(id) && hasKnownSelector(b, d, program.tensors[id].shape.length)) lowerPublicArgmax(b, d, id);
        else b.selects(lowerArgmax(b, d, id), id);
    }
    const place = outputs.get(id);
    const typed = fixedRange(type);
    if (place && typed && b.tensors[id].class.kind !== 'committed') leaveAsCopy(b, id, place, typed);
  }
}
