/** The weights of one source, read tensor by tensor: those of a large model do not fit into memory together. */
import { requireNumbers, requireWeights } from '../compiler/ir/arguments.ts';
import { ValueError } from '../compiler/ir/errors.ts';

/** Tensors by checkpoint name. No more than one has to be in memory: what is read is forgotten before the next is asked for. */
export interface Weights {
  names(): Iterable<string>;
  /** Undefined where there is no such tensor. */
  shape(name: string): readonly number[] | undefined;
  /** The entries of a tensor that has a shape, row-major. */
  read(name: string): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/** Weights that are in memory already. */
export type WeightMap = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: ArrayLike<number> }>;

/**
 * @param argument the caller's name for them, for messages
 * @param names of the tensors that are read
 * @throws ArgumentError for what is neither a reader nor a map of such tensors
 */
export function weightsOf(argument: string, given: Weights | WeightMap, names: readonly string[]): Weights {
  requireWeights(argument, given, names);
  if ('read' in given) return given;
  const tensor = (name: string) => {
    const found = given.get(name);
    if (found === undefined) throw new Error(`internal error: the tensor ${name} is read, and has no shape`);
    return found;
  };
  return {
    names: () => given.keys(),
    shape: (name) => given.get(name)?.shape,
    read: (name) => tensor(name).values,
  };
}

/** The shape of a tensor that has to be there. @param source for messages @throws ValueError */
export function shapeOf(weights: Weights, source: string, name: string): readonly number[] {
  const shape = weights.shape(name);
  if (shape !== undefined) return shape;
  throw new ValueError(`the weights have no tensor "${name}", which the program takes from "${source}"`, {
    tensor: name,
    problem: { kind: 'missing' },
  });
}

/** @throws ArgumentError for a reader that gives no numbers */
export async function readTensor(weights: Weights, name: string): Promise<ArrayLike<number>> {
  const values = await weights.read(name);
  requireNumbers(`what weights.read(${JSON.stringify(name)}) gives`, values);
  return values;
}
