/** The public tensors of an accepted proof. */
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import type { IntegerArray } from '../../../runtime/integers/arrays.ts';
import { dequantise } from '../../../runtime/integers/quantise.ts';
import type { PublicTensor } from '../messages.ts';

export const summarise = ({ gadgets }: Bundle, publics: ReadonlyMap<string, IntegerArray>): PublicTensor[] =>
  gadgets.publics.flatMap((id) => {
    const tensor = gadgets.tensors[id];
    const values = publics.get(tensor.name);
    if (!values) return [];
    let [least, greatest] = [Infinity, -Infinity];
    for (const x of dequantise(tensor, values)) {
      if (x < least) least = x;
      if (x > greatest) greatest = x;
    }
    const kind = tensor.class.kind === 'input' ? 'input' : 'output';
    return [{ name: tensor.name, kind, shape: tensor.shape, least, greatest }];
  });
