/** Numbers that a tensor cannot hold, and how people are told where they stand. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { GadgetTensor } from '../../compiler/ir/gadget/program.ts';

export function indexAt(shape: readonly number[], position: number): number[] {
  const index: number[] = [];
  for (const length of [...shape].reverse()) {
    index.unshift(position % length);
    position = Math.floor(position / length);
  }
  return index;
}

/** Where an entry of a tensor stands, as people write it. */
export const placeOf = ({ name, shape }: Pick<GadgetTensor, 'name' | 'shape'>, position: number): string =>
  shape.length === 0 ? name : `${name}[${indexAt(shape, position).join(', ')}]`;

/** Bits of two's complement that hold v. */
export const bitsOf = (v: bigint): number =>
  (v < 0n ? -v - 1n : v).toString(2).length + (v === 0n || v === -1n ? 0 : 1);

/**
 * A computed number that a tensor cannot take. It may be a secret one, or tell a secret to whoever chose the inputs: the message names the
 * place and what would do, and not the number.
 */
export class HiddenValueError extends ValueError {
  /** What the number is: for the owner of the secrets alone. */
  readonly hidden: string;

  constructor(
    t: Pick<GadgetTensor, 'name' | 'shape'>,
    position: number,
    kind: 'range' | 'divisor',
    fault: string,
    hidden: string,
  ) {
    const problem = { kind, index: indexAt(t.shape, position) };
    super(`${placeOf(t, position)} ${fault}`, { name: 'HiddenValueError', tensor: t.name, problem });
    this.hidden = hidden;
  }
}
