/**
 * An adapter that a seed gives, as PEFT begins: every `lora_B` is 0, every `lora_A` [R, I] uniform between -1 / sqrt(I) and
 * 1 / sqrt(I) (Kaiming's rule as torch has it for a linear layer). Numbers come from SHA-256 in counter mode, so that who knows the
 * seed makes the same ones; they are not torch's.
 */
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { domainTag } from '../../compiler/bundle/version.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import { sha256 } from '../protocol/statement/statement.ts';
import { word } from './sampling.ts';

export interface StartTensor {
  /** The checkpoint's name, of which a part is `lora_A` or `lora_B`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Fraction bits of its type: numbers are whole multiples of 2^-frac. */
  readonly frac: number;
}

/** Words of 32 bits in a block of SHA-256. */
const WORDS = 8;

/**
 * The numbers of a tensor, row-major, rounded to its type.
 * @param seed 32 bytes
 * @throws ValueError for a name that is of neither matrix
 */
export function startingValues(seed: Uint8Array, { name, shape, frac }: StartTensor): Float64Array {
  const count = shape.reduce((n, d) => n * d, 1);
  const values = new Float64Array(count);
  if (name.includes('lora_B')) return values;
  if (!name.includes('lora_A'))
    throw new ValueError(`"${name}" is neither \`lora_A\` nor \`lora_B\`: there is no rule for what it begins with`, {
      tensor: name,
      remedy: 'begin with an adapter that you have',
    });
  const bound = 1 / Math.sqrt(shape[shape.length - 1]);
  const start = concatBytes(domainTag('adapter\n'), seed, sha256(utf8ToBytes(name)));
  for (let k = 0; k < count; k += WORDS) {
    const block = sha256(concatBytes(start, word(k / WORDS)));
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    for (let j = 0; j < WORDS && k + j < count; j++) {
      const uniform = view.getUint32(4 * j) / 2 ** 31 - 1;
      values[k + j] = Math.round(uniform * bound * 2 ** frac) / 2 ** frac;
    }
  }
  return values;
}
