/** The models of `test/vectors/transformers.json`, whose weights come from their names as in `oracle.py`. */
import { readFileSync } from 'node:fs';
import { loadAdapter } from '../../../models/adapters/peft.ts';
import { openCheckpoint, type Checkpoint } from '../../../models/files/checkpoint.ts';
import { writeSafetensors, type TensorToWrite } from '../../../models/files/safetensors-writer.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { adapterOf } from '../../../models/import/index.ts';
import type { ModelAdapter } from '../../../models/import/adapters.ts';

/** By name, with {} for the number of each layer. */
type Shapes = Readonly<Record<string, readonly number[]>>;
type Json = Readonly<Record<string, unknown>>;

export interface Case {
  readonly name: string;
  readonly published: Json;
  readonly saved: Json;
  readonly layers: number;
  readonly tensors: Shapes;
  readonly logits: readonly (readonly number[])[];
  readonly adapter?: {
    readonly config: Json;
    readonly tensors: Shapes;
    readonly logits: readonly (readonly number[])[];
  };
}

interface Vectors {
  readonly tokens: readonly number[];
  readonly cases: readonly Case[];
}

export const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/transformers.json', import.meta.url), 'utf8'),
) as Vectors;

/** `fill` of the script. */
function fill(name: string, shape: readonly number[]): Float64Array {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(name)) state = Math.imul(state ^ byte, 16777619) >>> 0;
  const [mean, spread] =
    shape.length > 1 ? [0, 1.5 / Math.sqrt(shape.at(-1) ?? 1)] : name.endsWith('bias') ? [0, 0.3] : [1, 0.3];
  return Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return mean + spread * (state / 2 ** 31 - 1);
  });
}

/** All tensors, each layer's by its own name. */
export const named = (shapes: Shapes, layers: number): (readonly [string, readonly number[]])[] =>
  Object.entries(shapes).flatMap(([pattern, shape]) =>
    Array.from(
      { length: pattern.includes('{}') ? layers : 1 },
      (_, l) => [pattern.replace('{}', String(l)), shape] as const,
    ),
  );

const file = (shapes: Shapes, layers: number): Uint8Array =>
  writeSafetensors(
    new Map(
      named(shapes, layers).map(([name, shape]): [string, TensorToWrite] => [
        name,
        { dtype: 'F64', shape, values: fill(name, shape) },
      ]),
    ),
  );

export function openCase({ name, tensors, layers }: Case, config: Json): Promise<Checkpoint> {
  const files = new Map<string, Uint8Array>([
    ['config.json', new TextEncoder().encode(JSON.stringify(config))],
    ['model.safetensors', file(tensors, layers)],
  ]);
  const open = async (path: string) => {
    const bytes = files.get(path);
    return bytes && bytesSource(path, bytes);
  };
  return openCheckpoint({ name, open });
}

export interface OpenedAdapter extends ModelAdapter {
  readonly read: (name: string) => Promise<Float64Array>;
}

export async function openAdapterOf({ adapter, layers }: Case): Promise<OpenedAdapter[]> {
  if (adapter === undefined) return [];
  const loaded = await loadAdapter(
    JSON.stringify(adapter.config),
    bytesSource('some/adapter_model.safetensors', file(adapter.tensors, layers)),
  );
  const weights = await loaded.weights();
  const read = async (name: string): Promise<Float64Array> => weights.get(name)?.values ?? new Float64Array();
  return [{ ...(await adapterOf(loaded, 'adapter')), read }];
}
