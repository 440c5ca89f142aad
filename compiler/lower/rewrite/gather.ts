/**
 * Rows of a source's tensor that a public tensor of indices names, `X[rows[n], t]`. As a product with the selector of `rows` they
 * would be a sum over all rows that there are. But whoever knows `rows` knows where in the commitment they stand: the tensor of
 * them is committed to as it is, and a claim about it is one about those rows (`runtime/protocol/commitment/gathered.ts`).
 */
import { readsData } from '../../ir/indices/expression.ts';
import type { Factor, IndexExpr, Tensor } from '../../ir/tensor/program.ts';

/** Whose entries are gathered, and which of the gathered ones a factor reads. */
export interface Gather {
  readonly indices: number;
  readonly at: readonly IndexExpr[];
}

/** Undefined where a factor reads anything else: of another tensor, of stacked files, by data along another axis, by what is hidden. */
export function gatherOf(tensors: readonly Tensor[], { tensor, at }: Factor): Gather | undefined {
  const of = tensors.at(tensor);
  const [first, ...rest] = at;
  if (of?.file?.stacked !== 0 || first?.kind !== 'entry') return undefined;
  const { role, type, visibility } = tensors[first.tensor];
  const named = type?.kind === 'index' && type.size === of.shape[0] && role === 'input' && visibility === 'public';
  if (!named || [...first.at, ...rest].some(readsData)) return undefined;
  return { indices: first.tensor, at: [...first.at, ...rest] };
}
