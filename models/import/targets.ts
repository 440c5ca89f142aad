/** A new adapter for a model, as PEFT would make it: which projections it changes, and what its matrices are called. */
import { describeAdapter } from '../adapters/peft.ts';
import { FormatError, quote, quoteSome, type Refusals } from '../files/errors.ts';
import type { ModelConfig } from '../config/model.ts';
import type { ModelAdapter } from './adapters.ts';
import type { Parts } from './families/parts.ts';
import type { NewAdapter } from './training.ts';

/** What PEFT changes where nothing is said (huggingface/peft, `utils/constants.py`). */
const USUAL: Readonly<Record<ModelConfig['family'], readonly string[]>> = {
  llama: ['q_proj', 'v_proj'],
  phi3: ['qkv_proj'],
  gemma3: ['q_proj', 'v_proj'],
  gpt2: ['c_attn'],
  opt: ['q_proj', 'v_proj'],
  gpt_neox: ['query_key_value'],
};

const ALL = 'all-linear';

/** Names that a message lists before it counts the rest. */
const MOST = 8;

/**
 * @param model its name in messages
 * @param refusals gets targets that are no projections
 */
export function newAdapter(
  { targets, rank = 8, alpha = 2 * rank }: NewAdapter,
  { family }: ModelConfig,
  { projections, heads }: Parts,
  model: string,
  refusals: Refusals,
): ModelAdapter | undefined {
  const wanted = targets ?? USUAL[family];
  const all = [...projections.keys()];
  const foreign = wanted.filter((target) => target !== ALL && !all.some((path) => matches(path, [target])));
  // A head of two names is one projection.
  const paths = all.filter((path) => !heads.slice(1).includes(path) || !matches(heads[0], wanted));
  const chosen = paths.filter((path) => matches(path, wanted) || (wanted.includes(ALL) && !heads.includes(path)));
  if (foreign.length > 0 || chosen.length === 0) {
    const names = new Set(all.map((path) => path.slice(path.lastIndexOf('.') + 1)));
    refusals.add(
      new FormatError(
        model,
        foreign.length === 0
          ? 'no projection is to be trained'
          : `no projection of this model is called ${foreign.map(quote).join(' or ')}`,
        `targets are ${quoteSome(names, MOST)}, longer ends of their paths, or "${ALL}"`,
      ),
    );
    return undefined;
  }
  const config = {
    ...{ peft_type: 'LORA', r: rank, lora_alpha: alpha, target_modules: wanted },
    ...{ fan_in_fan_out: family === 'gpt2', base_model_name_or_path: model },
  };
  const tensors = chosen.flatMap((path) => {
    const { inputs, outputs } = projections.get(path)!;
    const stored = (side: string): string => `base_model.model.${path}.lora_${side}.weight`;
    return [
      [stored('A'), { shape: [rank, inputs] }],
      [stored('B'), { shape: [outputs, rank] }],
    ] as const;
  });
  const description = describeAdapter(JSON.stringify(config), new Map(tensors));
  return { description, fileName: model, maxAbs: new Map(), source: 'adapter' };
}

const matches = (path: string, targets: readonly string[]): boolean =>
  targets.some((target) => path === target || path.endsWith(`.${target}`));
