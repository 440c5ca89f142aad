/** What the class of a tensor says about other tensors. */
import type { CommittedSource, GadgetProgram, GadgetTensor, GadgetTensorClass } from './program.ts';

type Layouts = Pick<GadgetProgram, 'sources' | 'outputs'>;

/** What the `source` of a committed tensor is a number of: the program's sources, then its outputs. */
export const layoutsOf = ({ sources, outputs = [] }: Layouts): readonly CommittedSource[] => [...sources, ...outputs];

/** The layout with that number. */
export const layoutAt = ({ sources, outputs = [] }: Layouts, number: number): CommittedSource =>
  number < sources.length ? sources[number] : outputs[number - sources.length];

/** Whether a tensor leaves in a commitment that is made with the proof. */
export const isOutput = ({ sources }: Pick<GadgetProgram, 'sources'>, c: GadgetTensorClass): boolean =>
  c.kind === 'committed' && c.source >= sources.length;

/** The tensor that one is a view, rows or the selector of. */
export const baseOf = (c: GadgetTensorClass): number | undefined =>
  c.kind === 'view' || c.kind === 'digits' || c.kind === 'gathered' || c.kind === 'selector' ? c.of : undefined;

/** Whether a verifier knows all entries without being told: a view of something known is known itself. */
export function isKnown(tensors: readonly Pick<GadgetTensor, 'class'>[], id: number): boolean {
  const c = tensors[id].class;
  if (c.kind === 'view' || c.kind === 'digits') return isKnown(tensors, c.of);
  return c.kind === 'input' || c.kind === 'output' || c.kind === 'constant' || c.kind === 'selector';
}
