/** Where training begins: with an adapter that there is, or with one that a seed gives. */
import type { Numbers } from '../../runtime/evaluate/index.ts';
import { startingValues } from '../../runtime/run/start.ts';
import { readTensor, shapeOf, weightsOf, type WeightMap, type Weights } from '../../runtime/weights.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { TrainingModel } from './model.ts';

/** Numbers of trained weights by their names in the checkpoint; of a stacked tensor one part after the other. */
export type StartingWeights = (names: readonly string[]) => Numbers;

/** A seed that everybody may know, 32 bytes, or an adapter that stays secret. */
export type Start = { readonly seed: Uint8Array } | { readonly adapter: Weights | WeightMap };

/** The weights that training begins with. @throws ValueError */
export async function startingWeights(model: TrainingModel, start: Start): Promise<StartingWeights> {
  if ('seed' in start) return weightsOfSeed(model, start.seed);
  const names = model.state.flatMap(({ state }) => state.weight.names);
  return weightsOfAdapter(model, weightsOf('start.adapter', start.adapter, names));
}

/** The adapter of a seed. @param seed 32 bytes @throws ValueError for weights that are neither `lora_A` nor `lora_B` */
export function weightsOfSeed({ state }: TrainingModel, seed: Uint8Array): StartingWeights {
  const all = new Map<string, Float64Array>();
  for (const { state: own } of state) {
    const { names, type, stacked } = own.weight;
    const shape = own.shape.slice(stacked);
    for (const name of names)
      if (!all.has(name))
        all.set(name, startingValues(seed, { name, shape, frac: type.kind === 'fixed' ? type.frac : 0 }));
  }
  return joined(all);
}

/** The trained weights of an adapter. @throws ValueError for one that is missing or has another shape */
export async function weightsOfAdapter({ state }: TrainingModel, adapter: Weights): Promise<StartingWeights> {
  const all = new Map<string, ArrayLike<number>>();
  for (const { state: own } of state) {
    const { names, source, stacked } = own.weight;
    const shape = own.shape.slice(stacked);
    for (const name of names) {
      if (all.has(name)) continue;
      const found = shapeOf(adapter, source, name);
      if (found.join() !== shape.join())
        throw new ValueError(
          `"${name}" has the shape [${found.join(', ')}], the program declares [${shape.join(', ')}]`,
          {
            tensor: name,
            problem: { kind: 'shape', expected: shape, given: found },
            remedy: 'give the adapter that the program was imported with, or import it again',
          },
        );
      all.set(name, await readTensor(adapter, name));
    }
  }
  return joined(all);
}

const joined =
  (all: ReadonlyMap<string, ArrayLike<number>>): StartingWeights =>
  (names) => {
    const parts = names.map((name) => all.get(name) ?? []);
    const out = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  };
