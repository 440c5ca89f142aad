/** A model with a `train`: the program of one step, and where its state enters and leaves it. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { StateTensor } from '../../compiler/check/index.ts';
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { checkedModel, type ModelInput, type ModelScales } from '../calibrate/model.ts';

/** A trained weight or a state of its optimizer, on both sides of a step. */
export interface StatePlace {
  readonly input: Tensor;
  readonly output: Tensor;
  /** Its type, its name and what it is before the first step. */
  readonly state: StateTensor;
}

export interface TrainingModel {
  readonly program: TensorProgram;
  /** The input that says which step it is, and how many steps a run has at most. */
  readonly step: Tensor;
  readonly steps: number;
  /** The input of the rows of the data set that a step takes; absent where a step reads all of its data. */
  readonly rows: (Tensor & { readonly count: number; readonly batch: number }) | undefined;
  readonly state: readonly StatePlace[];
  /** Losses that are published. */
  readonly losses: readonly Tensor[];
}

/** The name of a tensor of the state. */
export const stateName = ({ file, name }: Tensor): string => file?.names[0] ?? name;

/** @throws ProgramError; ValueError where the model trains nothing, or asks for inputs that no run has */
export function trainingModel(input: ModelInput, scales: ModelScales = {}): TrainingModel {
  const { program, step } = checkedModel(input, scales);
  if (step === undefined)
    throw new ValueError(`the model "${program.name}" trains nothing`, {
      remedy: 'it needs a `train { ... minimize LOSS over adapter by OPTIMIZER(...) }`: zkl import --train writes one',
    });
  const states = new Map(step.states.map((state) => [state.name, state]));
  const inputs = new Map(program.tensors.filter((t) => t.file?.source === 'state').map((t) => [stateName(t), t]));
  const left = (program.outputs ?? []).flatMap(({ tensors }) => tensors);
  const outputs = new Map(left.map(({ name, tensor }) => [name, program.tensors[tensor]]));
  const state = [...states].map(([name, of]): StatePlace => {
    const [before, after] = [inputs.get(name), outputs.get(name)];
    if (before === undefined || after === undefined)
      throw new Error(`internal error: a state "${name}" without a place`);
    return { input: before, output: after, state: of };
  });
  const free = program.tensors.filter((t) => t.role === 'input' && t.file === undefined);
  const counter = free.find((t) => t.name === 'step');
  if (counter === undefined) throw new Error('internal error: a step without a number');
  const others = free.filter((t) => t !== counter);
  const rows = others.find(
    ({ visibility, shape, type }) => visibility === 'public' && shape.length === 1 && type?.kind === 'index',
  );
  const [unknown] = others.filter((t) => t !== rows);
  if (unknown !== undefined)
    throw new ValueError(`"${unknown.name}" is an input of every step, and a run has none to give`, {
      tensor: unknown.name,
      remedy: 'a run gives `step` and one `public rows[N]: index<M>`: read everything else from sources, by rows',
    });
  return {
    program,
    step: counter,
    steps: step.count,
    rows: rows && { ...rows, count: rows.type?.kind === 'index' ? rows.type.size : 0, batch: rows.shape[0] },
    state,
    losses: program.tensors.filter((t) => t.role === 'output' && t.visibility === 'public'),
  };
}
