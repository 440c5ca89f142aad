/** The configuration that PEFT reads an adapter with, for one that was not there before training. */
import { parse } from '../../grammar/index.ts';
import type * as ast from '../../grammar/ast.ts';
import type { ModelInput } from '../calibrate/model.ts';
import type { TrainingModel } from '../train/model.ts';

/** A constant of a model that is written as a number, or given one. */
function numberOf({ text, source, model: name, overrides = {} }: ModelInput, constant: string): number | undefined {
  if (Object.hasOwn(overrides, constant)) return finite(Number(overrides[constant]));
  const models = parse(text, source).program.items.filter((item) => item.kind === 'model');
  const model = models.find((m) => name === undefined || m.name.text === name);
  const definitions = model?.body.flatMap((s) => (s.kind === 'consts' ? s.definitions : []));
  const value = definitions?.find((d) => d.name.text === constant && d.axes.length === 0)?.value;
  return value && literal(value);
}

function literal(value: ast.Value): number | undefined {
  if (value.kind === 'number') return finite(Number(value.text));
  if (value.kind !== 'negate') return undefined;
  const of = literal(value.operand);
  return of === undefined ? undefined : -of;
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

/**
 * `adapter_config.json` of an adapter whose matrices a model trains, scaled by the model's constant `alpha` over their rank; undefined where
 * the model has no such number. Modules are named whole, so that PEFT adapts these and no others.
 *
 * @param base where the base model is, and its `model_type`
 */
export function newAdapterConfig(
  input: ModelInput,
  { state }: TrainingModel,
  base: { readonly name: string; readonly type?: unknown } | undefined,
): string | undefined {
  const alpha = numberOf(input, 'alpha');
  const ranks = new Map<string, number>();
  for (const { state: own } of state) {
    const path = /^(.+)\.lora_A\.weight$/.exec(own.weight.name)?.[1];
    if (path !== undefined) ranks.set(path, own.shape[0]);
  }
  const [rank] = ranks.values();
  if (alpha === undefined || rank === undefined) return undefined;
  const others = [...ranks].filter(([, r]) => r !== rank);
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base?.name ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: base?.type === 'gpt2',
    target_modules: [...ranks.keys()],
    ...(others.length === 0 ? {} : { rank_pattern: Object.fromEntries(others) }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
