/** The program of one step of training. */
import type { TensorProgram } from '../../ir/tensor/program.ts';
import type { Session } from '../context.ts';
import { needed, prune } from '../statements/prune.ts';
import { STATE, type Step } from './step.ts';

/**
 * What `train` publishes, and weights and states after the step. What the model itself publishes is no part of it, nor what only
 * that needs; public inputs, the step among them, are.
 */
export function trainingProgram(session: Session, name: string, { outputs, files }: Step): TensorProgram {
  const { equations, tables } = session;
  const tensors = session.tensors.map((tensor) => {
    const file = files.get(tensor.id);
    if (file !== undefined) return { ...tensor, file };
    const published = tensor.role === 'output' && !session.training.has(tensor.id);
    return published ? ({ ...tensor, role: 'inner', visibility: 'hidden' } as const) : tensor;
  });
  const losses = [...session.training].filter((id) => tensors[id].role === 'output');
  const keep = needed(equations, [...losses, ...outputs.map(({ tensor }) => tensor)]);
  for (const id of session.statement)
    if (tensors[id].role === 'input' && tensors[id].visibility === 'public') keep.add(id);
  const statement = session.statement.filter(
    (id) => keep.has(id) && (tensors[id].role === 'input' || session.training.has(id)),
  );
  const parts = { outputs: [{ name: STATE, tensors: outputs }], stateSources: [STATE] };
  return prune({ name, tensors, equations, tables, statement, ...parts }, keep);
}
