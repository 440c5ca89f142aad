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
  if (named && (unset || (!used && !fields.has('sliding_window')))) {
    fields.refuse('layer_types', `is ${show(types)}, and no "sliding_window" says how wide`, UNSUPPORTED);
    return undefined;
  }
  const windowed = mistral || named || (used && types === undefined && full < layers);
  if (!windowed || unset) {
    // Read, so that it does not count as unknown.
    fields.any('sliding_window');
    return undefined;
  }
  return fields.length('sliding_window', DEFAULT_WINDOW);
}

const DEFAULT_PATTERN = 6;

/**
 * For each layer of Gemma 3 whether it has a window: as `layer_types` says, else all but every sixth, or every
 * `sliding_window_pattern`th.
 */
export function slidingLayers(fields: Fields, layers: number): readonly boolean[] {
  const names = ['sliding_window_pattern', '_sliding_window_pattern'];
  const [pattern] = names.map((name) => fields.length(name, DEFAULT_PATTERN)).filter((n) => n !== DEFAULT_PATTERN);
  const types = layerTypes(fields, layers)?.map((type) => type === 'sliding_attention');
  return types ?? Array.from({ length: layers || 0 }, (_, l) => (l + 1) % (pattern ?? DEFAULT_PATTERN) > 0);
}

function layerTypes(fields: Fields, layers: number): readonly string[] | undefined {
  const types = fields.any('layer_types');
  if (types === undefined) return undefined;
  if (!Array.isArray(types) || !types.every((t) => t === 'full_attention' || t === 'sliding_attention')) {
    fields.refuse('layer_types', `is ${show(types)}: not all layers have full attention`, UNSUPPORTED);
    return undefined;
  }
  if (types.length === layers) return types as readonly string[];
  if (!Number.isNaN(layers)) fields.refuse('layer_types', `has ${types.length} entries, the model ${layers} layers`);
  return undefined;
}
