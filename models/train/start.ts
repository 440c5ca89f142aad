/** Where training begins: with an adapter that there is, or with one that a seed gives. */
import type { Numbers } from '../../runtime/evaluate/index.ts';
import { startingValues } from '../../runtime/run/start.ts';
import { readTensor, shapeOf, weightsOf, type WeightMap, type Weights } from '../../runtime/weights.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { TrainingModel } from './model.ts';

/** Numbers of a trained weight by its name in the checkpoint. */
export type StartingWeights = (name: string) => Numbers;

/** A seed that everybody may know, 32 bytes, or an adapter that stays secret. */
export type Start = { readonly seed: Uint8Array } | { readonly adapter: Weights | WeightMap };

/** The weights that training begins with. @throws ValueError */
export async function startingWeights(model: TrainingModel, start: Start): Promise<StartingWeights> {
  if ('seed' in start) return weightsOfSeed(model, start.seed);
  const names = model.state.map(({ state }) => state.weight.name);
  return weightsOfAdapter(model, weightsOf('start.adapter', start.adapter, names));
}

/** The adapter of a seed. @param seed 32 bytes @throws ValueError for weights that are neither `lora_A` nor `lora_B` */
export function weightsOfSeed({ state }: TrainingModel, seed: Uint8Array): StartingWeights {
  const all = new Map<string, Numbers>();
  for (const { state: own } of state) {
    const { name, type } = own.weight;
    if (!all.has(name))
      all.set(name, startingValues(seed, { name, shape: own.shape, frac: type.kind === 'fixed' ? type.frac : 0 }));
  }
  return taken(all);
}

/** The trained weights of an adapter. @throws ValueError for one that is missing or has another shape */
export async function weightsOfAdapter({ state }: TrainingModel, adapter: Weights): Promise<StartingWeights> {
  const all = new Map<string, Numbers>();
  for (const { state: own } of state) {
    const { name, source } = own.weight;
    if (all.has(name)) continue;
    const found = shapeOf(adapter, source, name);
    if (found.join() !== own.shape.join())
      throw new ValueError(
        `"${name}" has the shape [${found.join(', ')}], the program declares [${own.shape.join(', ')}]`,
        {
          tensor: name,
          problem: { kind: 'shape', expected: own.shape, given: found },
          remedy: 'give the adapter that the program was imported with, or import it again',
        },
      );
    all.set(name, Float64Array.from(await readTensor(adapter, name)));
  }
  return taken(all);
}

const taken =
  (all: ReadonlyMap<string, Numbers>): StartingWeights =>
  (name) =>
    all.get(name) ?? new Float64Array();
