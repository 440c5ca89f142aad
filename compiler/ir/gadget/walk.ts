/** What the class of a tensor says about other tensors. */
import type { GadgetTensor, GadgetTensorClass } from './program.ts';

/** The tensor that one is a view or the selector of. */
export const baseOf = (c: GadgetTensorClass): number | undefined =>
  c.kind === 'view' || c.kind === 'digits' || c.kind === 'selector' ? c.of : undefined;

/** Whether a verifier knows all entries without being told: a view of something known is known itself. */
export function isKnown(tensors: readonly Pick<GadgetTensor, 'class'>[], id: number): boolean {
  const c = tensors[id].class;
  if (c.kind === 'view' || c.kind === 'digits') return isKnown(tensors, c.of);
  return c.kind === 'input' || c.kind === 'output' || c.kind === 'constant' || c.kind === 'selector';
}
