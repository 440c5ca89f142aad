/** Sliding windows of attention, as configurations of the LLaMA family say them (huggingface/transformers). */
import { show, UNSUPPORTED, type Fields } from './fields.ts';

/** What the configurations of Mistral and Qwen2 mean where they leave the fields out. */
const DEFAULT_WINDOW = 4096;
const DEFAULT_FULL_LAYERS = 28;

/**
 * How many tokens attention sees at most in any layer, the present one included; undefined where no layer has a window.
 * As long as there are no more tokens than that, the window cuts nothing off.
 *
 * Mistral has a window in every layer unless it is null, whatever else is said. Qwen2 has one where `use_sliding_window`
 * is true, in the layers that `layer_types` names, else in those from `max_window_layers` on. LLaMA has none, but is read
 * as Qwen2 is where it says that it has.
 */
export function attentionWindow(fields: Fields, architecture: string, layers: number): number | undefined {
  const mistral = architecture === 'MistralForCausalLM';
  const types = layerTypes(fields, layers);
  const used = fields.flag('use_sliding_window', false);
  const full = fields.length('max_window_layers', DEFAULT_FULL_LAYERS, 0);
  const named = types?.includes('sliding_attention') ?? false;
  const unset = fields.has('sliding_window') && fields.any('sliding_window') === undefined;
  if (named && (unset || (!used && !fields.has('sliding_window'))))
    return fields.fail('layer_types', `is ${show(types)}, and no "sliding_window" says how wide`, UNSUPPORTED);
  const windowed = mistral || named || (used && types === undefined && full < layers);
  if (!windowed || unset) {
    // Read, so that it does not count as unknown.
    fields.any('sliding_window');
    return undefined;
  }
  return fields.length('sliding_window', DEFAULT_WINDOW);
}

function layerTypes(fields: Fields, layers: number): readonly string[] | undefined {
  const types = fields.any('layer_types');
  if (types === undefined) return undefined;
  if (!Array.isArray(types) || !types.every((t) => t === 'full_attention' || t === 'sliding_attention'))
    return fields.fail('layer_types', `is ${show(types)}: not all layers have full attention`, UNSUPPORTED);
  if (types.length !== layers)
    return fields.fail('layer_types', `has ${types.length} entries, the model ${layers} layers`);
  return types as readonly string[];
}
