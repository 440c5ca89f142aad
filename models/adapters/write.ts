/** Writing an adapter as PEFT reads it. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { WeightMap } from '../../runtime/weights.ts';
import { writeSafetensors } from '../files/safetensors-writer.ts';

/**
 * The bytes of `adapter_model.safetensors`, with PEFT's names, in single precision, which holds every weight exactly.
 *
 * @param weights by their names in programs: `MODULE.lora_A.weight`
 * @throws ValueError for a number that single precision does not hold
 */
export function writeAdapter(weights: WeightMap): Uint8Array {
  const tensors = [...weights].map(([name, { shape, values }]) => {
    const single = Float32Array.from(values);
    for (let k = 0; k < values.length; k++)
      if (single[k] !== values[k])
        throw new ValueError(`"${name}" has more bits than single precision, which PEFT reads`, {
          tensor: name,
          remedy: 'train weights of at most 24 bits',
        });
    return [`base_model.model.${name}`, { dtype: 'F32', shape, values: single }] as const;
  });
  return writeSafetensors(new Map(tensors), 'adapter_model.safetensors');
}
