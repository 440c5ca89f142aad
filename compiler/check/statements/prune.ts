/** Drops what no output needs, and numbers what stays. */
import type { Equation, TensorId, TensorProgram } from '../../ir/tensor/program.ts';
import { readTensors, renumber } from '../../ir/tensor/walk.ts';

/** The tensors that these need, themselves included. */
export function needed(equations: readonly Equation[], roots: readonly TensorId[]): Set<TensorId> {
  const byTarget = new Map(equations.map((equation) => [equation.target, equation]));
  const found = new Set<TensorId>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    const equation = byTarget.get(id);
    if (equation !== undefined) open.push(...readTensors(equation.definition));
  }
  return found;
}

/** The program with only the tensors in `keep`, and the tables they use. */
export function prune(program: TensorProgram, keep: ReadonlySet<TensorId>): TensorProgram {
  const tensors = program.tensors.filter((tensor) => keep.has(tensor.id));
  const ids = new Map(tensors.map((tensor, id) => [tensor.id, id]));
  const id = (old: TensorId): TensorId => {
    const found = ids.get(old);
    if (found === undefined) throw new Error(`internal error: tensor ${old} was dropped and is read`);
    return found;
  };
  const equations = program.equations.filter((equation) => keep.has(equation.target));
  const used = new Set(equations.flatMap((e) => (e.definition.kind === 'table' ? [e.definition.table] : [])));
  const tables = program.tables.map((_, k) => k).filter((k) => used.has(k));
  return {
    name: program.name,
    tensors: tensors.map((tensor) => ({ ...tensor, id: id(tensor.id) })),
    tables: tables.map((k) => program.tables[k]),
    equations: equations.map((equation) => ({
      ...equation,
      target: id(equation.target),
      definition: renumber(equation.definition, id, (k) => tables.indexOf(k)),
    })),
    statement: program.statement.map(id),
    ...(program.outputs && {
      outputs: program.outputs.map((o) => ({
        ...o,
        tensors: o.tensors.map((t) => ({ ...t, tensor: id(t.tensor) })),
      })),
    }),
    ...(program.stateSources && { stateSources: program.stateSources }),
  };
}
