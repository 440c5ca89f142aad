/**
 * `adapter_config.json` of PEFT (huggingface/peft, `tuners/lora/config.py`), for plain LoRA. A field that changes what an
 * adapter adds to its modules, or to which model, is either understood here or refused by name: never skipped.
 */
import { FormatError, quote, Refusals } from '../files/errors.ts';
import { HARMLESS_ADAPTER_FIELDS } from '../config/harmless.ts';
import { isObject, parseJson, type JsonObject } from '../files/json.ts';

export interface LoraConfig {
  /** Name of the file in messages. */
  readonly file: string;
  readonly rank: number;
  readonly alpha: number;
  /** Scaling alpha / sqrt(rank) instead of alpha / rank (Kalajdzievski 2023, arXiv:2312.03732). */
  readonly useRslora: boolean;
  /** The base model stores its weights [in, out] (GPT-2); an adapter's A and B are [rank, in] and [out, rank] all the same. */
  readonly fanInFanOut: boolean;
  /** Ranks and alphas of single modules, by name, end of a name, or regular expression. */
  readonly rankPattern: ReadonlyMap<string, number>;
  readonly alphaPattern: ReadonlyMap<string, number>;
  /** Names or ends of names, or a regular expression. */
  readonly targetModules: readonly string[] | string | undefined;
  readonly modulesToSave: readonly string[];
  readonly baseModel: string | undefined;
}

const NEEDS_LORA = 'train the adapter again as plain LoRA (peft_type "LORA")';
const MERGE = 'or merge it into the base model with `merge_and_unload()` and prove that';

const TYPES: Readonly<Record<string, string>> = {
  ADALORA: 'AdaLoRA scales every rank by a learned diagonal',
  LOHA: 'LoHa is a product of two low-rank matrices, entry by entry',
  LOKR: 'LoKr is a Kronecker product',
  IA3: 'IA3 multiplies activations by a learned vector',
  VERA: 'VeRA shares random matrices and learns two diagonals',
  OFT: 'OFT rotates the weights',
  BOFT: 'BOFT rotates the weights',
  FOURIERFT: 'FourierFT learns entries of a Fourier spectrum',
  PREFIX_TUNING: 'prefix tuning adds keys and values, not an update of weights',
  PROMPT_TUNING: 'prompt tuning adds tokens, not an update of weights',
  P_TUNING: 'p-tuning adds tokens, not an update of weights',
  LN_TUNING: 'LayerNorm tuning has no low-rank part',
};

/** Fields that may only be false, null or empty, with what they would change. */
const REFUSED: Readonly<Record<string, string>> = {
  use_dora: 'DoRA divides by the norm of the updated weight, which needs the base weights',
  use_qalora: 'QALoRA pools the input before A',
  use_bdlora: 'block-diagonal LoRA has other shapes of A and B',
  lora_bias: 'a bias is added after B',
  layer_replication: 'one stored layer stands for several layers of the model',
  target_parameters: 'the adapter changes parameters that no module multiplies by, such as stacked experts',
  alora_invocation_tokens: 'activated LoRA adds its update after certain tokens only',
  arrow_config: 'Arrow routes between several adapters',
  kasa_config: 'KaSA multiplies by a learned diagonal between A and B, and cuts the base weights',
  monteclora_config: 'MonteCLoRA perturbs A with samples of its own',
  trainable_token_indices: 'rows of the embedding were trained, too, and are no low-rank update',
};

/** Fields that are read here. */
const UNDERSTOOD = new Set(
  `peft_type r lora_alpha use_rslora fan_in_fan_out rank_pattern alpha_pattern target_modules modules_to_save bias
  base_model_name_or_path init_lora_weights`.split(/\s+/),
);

/** Ways to initialise A and B that leave the base model as it is. */
const INITS_BESIDE_BASE = new Set(['gaussian', 'eva', 'orthogonal', 'mica']);

/** Ways that also change the base model, by how their names begin, with what is done to it. */
const INITS_OF_BASE: Readonly<Record<string, string>> = {
  pissa: 'PiSSA takes the largest singular components out of the base weights',
  olora: 'OLoRA takes the initial product of B and A out of the base weights',
  corda: 'CorDA takes the initial product of B and A out of the base weights',
  lora_ga: 'LoRA-GA takes the initial product of B and A out of the base weights',
  loftq: 'LoftQ replaces the base weights by quantised ones',
};

/**
 * @param file its name in messages
 * @throws FormatError if it is no configuration of plain LoRA, with all that makes it none
 */
export function readLoraConfig(text: string, file = 'adapter_config.json'): LoraConfig {
  const config = parseJson(file, 'the configuration', text, 'save the adapter again with `save_pretrained`');
  if (!isObject(config))
    throw new FormatError(file, 'it is not a JSON object', 'save the adapter again with `save_pretrained`');
  const refusals = new Refusals();
  if (isLora(file, config, refusals)) refuseVariants(file, config, refusals);
  const { base_model_name_or_path: base } = config;
  // What stands in place of what is refused is never returned.
  const read: LoraConfig = {
    file,
    rank: refusals.attempt(() => rankOf(file, config)) ?? 0,
    alpha: refusals.attempt(() => alphaOf(file, config)) ?? 0,
    useRslora: refusals.attempt(() => flag(file, config, 'use_rslora')) ?? false,
    fanInFanOut: refusals.attempt(() => flag(file, config, 'fan_in_fan_out')) ?? false,
    rankPattern: refusals.attempt(() => pattern(file, config, 'rank_pattern', isRank)) ?? new Map(),
    alphaPattern: refusals.attempt(() => pattern(file, config, 'alpha_pattern', isAlpha)) ?? new Map(),
    targetModules: refusals.attempt(() => targets(file, config)),
    modulesToSave: refusals.attempt(() => names(file, config, 'modules_to_save')) ?? [],
    baseModel: typeof base === 'string' ? base : undefined,
  };
  refusals.attempt(() => refuseInit(file, config.init_lora_weights));
  refusals.throwAny(file, 'the adapter is not plain LoRA');
  return read;
}

function rankOf(file: string, { r: rank }: JsonObject): number {
  if (isRank(rank)) return rank;
  throw new FormatError(file, `r is ${show(rank)}`, 'the rank has to be a whole number from 1');
}

function alphaOf(file: string, config: JsonObject): number {
  // What PEFT takes where the field is missing. A null it takes as no number at all.
  const alpha = config.lora_alpha === undefined ? 8 : config.lora_alpha;
  if (isAlpha(alpha)) return alpha;
  throw new FormatError(
    file,
    `lora_alpha is ${show(alpha)}`,
    'it has to be a finite number other than 0: write the one that the adapter was trained with',
  );
}

const isRank = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 1 && (v as number) <= 2 ** 20;
const isAlpha = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && v !== 0;

/** A value of the configuration for a message, cut short. */
function show(value: unknown): string {
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function isLora(file: string, { peft_type: type }: JsonObject, refusals: Refusals): boolean {
  if (type === 'LORA') return true;
  const known = typeof type === 'string' && Object.hasOwn(TYPES, type) ? ` (${TYPES[type]})` : '';
  refusals.add(new FormatError(file, `peft_type is ${show(type)}${known}, which is not LoRA`, NEEDS_LORA));
  return false;
}

function refuseVariants(file: string, config: JsonObject, refusals: Refusals): void {
  for (const [name, value] of Object.entries(config)) {
    if (UNDERSTOOD.has(name) || HARMLESS_ADAPTER_FIELDS.has(name) || isUnset(value)) continue;
    const reason = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
    const unknown = name.startsWith('use_')
      ? 'a variant of LoRA that is not known here'
      : 'and it is not known here what that changes';
    refusals.add(
      reason === undefined
        ? new FormatError(
            file,
            `${quote(name)} is ${show(value)}, ${unknown}`,
            `if it changes nothing of what the adapter adds, take it out of the configuration; else ${NEEDS_LORA}, ${MERGE}`,
          )
        : new FormatError(file, `${name} is ${show(value)}: ${reason}`, `${NEEDS_LORA}, ${MERGE}`),
    );
  }
  const { bias = 'none' } = config;
  if (bias !== 'none')
    refusals.add(
      new FormatError(
        file,
        `bias is ${show(bias)}: trained biases are not part of the low-rank update`,
        'train the adapter again with bias "none"',
      ),
    );
}

/** @throws FormatError if the matrices are made for a base model that was changed when they were initialised */
function refuseInit(file: string, init: unknown): void {
  if (init === undefined || init === null || typeof init === 'boolean') return;
  const name = typeof init === 'string' ? init.toLowerCase() : '';
  if (INITS_BESIDE_BASE.has(name)) return;
  const changed = Object.keys(INITS_OF_BASE).find((start) => name.startsWith(start));
  if (changed === undefined)
    throw new FormatError(
      file,
      `init_lora_weights is ${show(init)}, and it is not known here whether that changes the base model`,
      `${NEEDS_LORA}, ${MERGE}`,
    );
  const convert =
    changed === 'loftq'
      ? NEEDS_LORA
      : 'convert it to plain LoRA: save it again with `save_pretrained(DIR, path_initial_model_for_weight_conversion=INITIAL_ADAPTER)` of PEFT';
  throw new FormatError(
    file,
    `init_lora_weights is ${show(init)}: ${INITS_OF_BASE[changed]}, so the adapter belongs to another model than it names`,
    `${convert}, ${MERGE}`,
  );
}

const isUnset = (value: unknown): boolean =>
  value === null ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

function flag(file: string, config: JsonObject, name: string): boolean {
  const value = config[name] ?? false;
  if (typeof value === 'boolean') return value;
  throw new FormatError(file, `${name} is ${show(value)}`, 'it has to be true or false');
}

function pattern(
  file: string,
  config: JsonObject,
  name: string,
  valid: (v: unknown) => v is number,
): Map<string, number> {
  const value = config[name] ?? {};
  if (!isObject(value))
    throw new FormatError(file, `${name} is ${show(value)}`, 'it has to be an object of names to numbers');
  const out = new Map<string, number>();
  for (const [key, number] of Object.entries(value)) {
    if (!valid(number))
      throw new FormatError(file, `${name} gives ${quote(key)} ${show(number)}`, 'it has to be a number, and not 0');
    out.set(key, number);
  }
  return out;
}

function names(file: string, config: JsonObject, name: string): readonly string[] | undefined {
  const value = config[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((v) => typeof v === 'string')) return value;
  throw new FormatError(file, `${name} is ${show(value)}`, 'it has to be a list of names');
}

const targets = (file: string, config: JsonObject): readonly string[] | string | undefined =>
  typeof config.target_modules === 'string' ? config.target_modules : names(file, config, 'target_modules');

/**
 * The value of the first key that is `path`, an end of it after a dot, or a regular expression for one of these, as PEFT
 * matches them (`get_pattern_key` in `utils/other.py`); undefined if no key does.
 */
export function matchPattern(
  config: LoraConfig,
  field: 'rank_pattern' | 'alpha_pattern',
  path: string,
): number | undefined {
  const entries = field === 'rank_pattern' ? config.rankPattern : config.alphaPattern;
  for (const [key, value] of entries) {
    if (path === key || path.endsWith(`.${key}`)) return value;
    if (expression(config.file, field, key).test(path)) return value;
  }
  return undefined;
}

/** A group with a repetition inside that is repeated itself: matching it can take time exponential in the name. */
const nestedRepetition = /\([^()]*[*+{][^()]*\)[*+{]/;

function expression(file: string, field: string, key: string): RegExp {
  if (key.length > 1000 || nestedRepetition.test(key))
    throw new FormatError(
      file,
      `${field} has the key ${quote(key.slice(0, 200))}, an expression that could take for ever to match`,
      'write the name of a module, or its end',
    );
  try {
    return new RegExp(`^(?:.*\\.)?(?:${key})$`);
  } catch {
    throw new FormatError(
      file,
      `${field} has the key ${quote(key)}, which is no regular expression`,
      'write the name of a module, or its end',
    );
  }
}
