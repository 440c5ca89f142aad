/** How wide exact cotangents are: an upper bound that declared widths and shapes give, whatever the scales. */
import type { TensorId } from '../../ir/tensor/program.ts';
import type { Poly } from '../numbers/polynomial.ts';
import type { Reverse } from './state.ts';

/** Terms of different scales are brought to one: they differ by this at most. */
const ALIGNMENT = 32;

/** Bits of every value of a polynomial, sign included. */
export function widthOf(reverse: Reverse, p: Poly): number {
  const { variables } = reverse.session;
  const terms = p.map((t) => {
    const counted = t.reduced.reduce((bits, id) => bits + Math.log2(variables[id].size), 0);
    return t.factors.reduce((bits, f) => bits + bitsOf(reverse, f.tensor), counted + 1);
  });
  const several = p.length > 1 ? ALIGNMENT + Math.log2(p.length) : 0;
  return Math.ceil(Math.max(1, ...terms) + several);
}

/** Bits of an entry: of its declared type, of an exact cotangent, or else of its range. */
function bitsOf({ session, widths }: Reverse, id: TensorId): number {
  const { type, range } = session.tensors[id];
  if (type?.kind === 'fixed') return type.bits;
  const known = widths.get(id);
  if (known !== undefined) return known;
  const { lo, hi } = range;
  return Math.max(lo < 0n ? (-lo).toString(2).length : 0, hi > 0n ? hi.toString(2).length : 0) + 1;
}
