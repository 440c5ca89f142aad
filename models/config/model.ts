/**
 * `config.json` of the decoder families that can be imported. A field that changes what a model computes is either
 * understood here or refused by name; so is one that is not known: never skipped.
 */
import { Fields, UNSUPPORTED } from './fields.ts';
import { FormatError, quote, type Refusals } from '../files/errors.ts';
import { isObject, type JsonObject } from '../files/json.ts';
import { gpt2, neox, opt, type Gpt2Config, type NeoxConfig, type OptConfig } from './gpt.ts';
import { gemma3, llama, phi3, type Gemma3Config, type LlamaConfig, type Phi3Config } from './llama.ts';

export type ModelConfig = LlamaConfig | Phi3Config | Gemma3Config | Gpt2Config | OptConfig | NeoxConfig;

const KNOWN: Readonly<Record<string, Reader>> = {
  LlamaForCausalLM: llama,
  MistralForCausalLM: llama,
  Qwen2ForCausalLM: llama,
  Qwen3ForCausalLM: llama,
  Phi3ForCausalLM: phi3,
  Gemma3ForCausalLM: gemma3,
  GPT2LMHeadModel: gpt2,
  GPTNeoXForCausalLM: neox,
  OPTForCausalLM: opt,
};

/** What stands between well-known architectures and this program. */
const MISSING: Readonly<Record<string, string>> = {
  GemmaForCausalLM: 'norms with gain 1 + w, embeddings times sqrt(D)',
  Gemma2ForCausalLM: 'norms with gain 1 + w, soft-capped scores, sliding windows',
  Gemma3ForConditionalGeneration: 'an encoder of images',
  Llama4ForConditionalGeneration: 'routing to experts, an encoder of images',
  MllamaForConditionalGeneration: 'an encoder of images',
  MixtralForCausalLM: 'routing to experts',
  Qwen2MoeForCausalLM: 'routing to experts',
  Qwen3MoeForCausalLM: 'routing to experts',
  PhiMoEForCausalLM: 'routing to experts',
  GptOssForCausalLM: 'routing to experts, sinks of attention',
  DeepseekV2ForCausalLM: 'routing to experts, attention over compressed keys',
  DeepseekV3ForCausalLM: 'routing to experts, attention over compressed keys',
  PhiForCausalLM: 'attention beside the feed-forward layer, rotation of a part of each head',
  GPTNeoForCausalLM: 'local attention',
  GPTJForCausalLM: 'attention beside the feed-forward layer',
  GPTBigCodeForCausalLM: 'projections fused for a single head of keys',
  BloomForCausalLM: 'attention with linear biases',
  FalconForCausalLM: 'attention beside the feed-forward layer',
  StableLmForCausalLM: 'rotation of a part of each head',
  CohereForCausalLM: 'attention beside the feed-forward layer, scaled logits',
  GraniteForCausalLM: 'scaled embeddings, residuals and logits',
  Olmo2ForCausalLM: 'norms after the layers, norms of queries and keys',
  GPT2ForSequenceClassification: 'a head for classes',
  LlamaForSequenceClassification: 'a head for classes',
};

/**
 * @param file its name in messages
 * @param refusals gets an unknown architecture, and every field that would change what is computed
 * @returns undefined where what can be read does not make a model
 */
export function readModelConfig(config: JsonObject, file: string, refusals: Refusals): ModelConfig | undefined {
  const found = refusals.attempt(() => knownArchitecture(config, file));
  if (found === undefined) return undefined;
  const { name, read } = found;
  const fields = new Fields(file, config, refusals);
  if (fields.any('quantization_config') !== undefined)
    fields.refuse('quantization_config', 'is set: the weights are not those of the plain architecture', UNSUPPORTED);
  const code = fields.any('auto_map');
  if (code !== undefined && !isOwnCode(code, name))
    fields.refuse('auto_map', 'is set: the weights are not those of the plain architecture', UNSUPPORTED);
  const model = read(fields, name);
  fields.refuseOthers();
  return Object.values(model).some((value) => Number.isNaN(value)) ? undefined : model;
}

type Reader = (fields: Fields, architecture: string) => ModelConfig;

/** @throws FormatError */
function knownArchitecture({ architectures }: JsonObject, file: string): { name: string; read: Reader } {
  const names: unknown[] = Array.isArray(architectures) ? architectures : [];
  if (names.length !== 1 || typeof names[0] !== 'string')
    throw new FormatError(
      file,
      '"architectures" does not name one architecture',
      `known are ${Object.keys(KNOWN).join(', ')}`,
    );
  const [name] = names;
  if (Object.hasOwn(KNOWN, name)) return { name, read: KNOWN[name] };
  const missing = Object.hasOwn(MISSING, name) ? `; it would need ${MISSING[name]}` : '';
  throw new FormatError(
    file,
    `the architecture ${quote(name)} cannot be imported${missing}`,
    `known are ${Object.keys(KNOWN).join(', ')}; others can be written by hand from the blocks of "std"`,
  );
}

/** Code beside the weights that only has the architecture's class once more, as models have that are older than their class. */
const isOwnCode = (code: unknown, architecture: string): boolean =>
  isObject(code) &&
  Object.entries(code).every(
    ([kind, path]) => typeof path === 'string' && (kind === 'AutoConfig' || path.endsWith(`.${architecture}`)),
  );
