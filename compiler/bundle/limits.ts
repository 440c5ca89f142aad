/**
 * What a program may be, at most: one table, for the reader of bundles and for the compiler, which refuses what nobody could read.
 *
 * These are sizes up to which numbers and arrays mean what they should. What a verifier can afford is far less, and its own to say
 * (`runtime/verifier/budget.ts`): LLaMA-7B has 2^19.7 rows of 2^13 columns, which is within these limits and takes minutes.
 */
import { FUNCTION_TABLE_BITS, INTEGER_BITS, RANGE_TABLE_BITS } from '../ir/numbers/limits.ts';
import { CodecError } from './canonical.ts';

export const limits = {
  tensors: 1e5,
  equations: 1e5,
  terms: 1e4,
  axes: 16,
  tables: 1000,
  tableBits: FUNCTION_TABLE_BITS,
  rangeBits: RANGE_TABLE_BITS,
  /** Leaves of a fraction tree, of a program's lookups or of a secret source's range proof: positions are 32-bit. */
  leaves: 2 ** 30,
  /** Entries of one tensor, which no party holds all of: 32 stacked layers of 11,008 x 4096 are 2^30.4. */
  entries: 2 ** 32,
  /** Rows of a commitment, of 48 bytes each: 800 MB. A model of 70 billion weights has 2^23. */
  rows: 2 ** 24,
  columns: 2 ** 16,
  bits: INTEGER_BITS,
  /** Slots of an open source's commitment; nothing runs over all of them but the hashing of weights. */
  slots: 2 ** 40,
  /** Entries of one mask or view, and of tables of eq over its axes: arrays of field elements, 32 bytes each. */
  known: 2 ** 29,
};

/** @throws CodecError saying what is malformed */
export function fail(what: string): never {
  throw new CodecError(`the program is malformed: ${what}`);
}
