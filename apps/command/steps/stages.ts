/** Stages of the compiler as text: `zkl compile --emit`. */
import { printGadgetProgram, printKernels, printTensorProgram, type Compiled } from '../../../compiler/index.ts';
import { CliError } from '../errors.ts';

type Stages = Required<Pick<Compiled, 'tensors' | 'gadgets'>>;

const printers = {
  tensors: ({ tensors }: Stages) => printTensorProgram(tensors),
  gadgets: ({ gadgets }: Stages) => printGadgetProgram(gadgets),
  kernels: ({ gadgets }: Stages) => printKernels(gadgets),
} as const;

export type Stage = keyof typeof printers;

/** @throws CliError for a name that is no stage's */
export function stageOf(name: string): Stage {
  if (Object.hasOwn(printers, name)) return name as Stage;
  throw new CliError(`--emit is "${name}"`, `give ${list(Object.keys(printers))}`);
}

const list = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

export function printStage(stage: Stage, { tensors, gadgets }: Compiled): string {
  if (!tensors || !gadgets) throw new Error('internal error: a program without errors that was not lowered');
  return printers[stage]({ tensors, gadgets });
}
