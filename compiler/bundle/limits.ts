/** What a program from outside may be, at most. */
import { CodecError } from './canonical.ts';

/** Bounds that no real program comes near, and that keep a verifier's memory and time in hand. */
export const limits = {
  tensors: 1e5,
  equations: 1e5,
  terms: 1e4,
  axes: 16,
  tables: 1000,
  /** The largest table of a function has 2^17 entries, that of a range 2^20. */
  tableBits: 17,
  rangeBits: 20,
  /** Leaves of a fraction tree. */
  leaves: 2 ** 30,
  entries: 2 ** 32,
  rows: 2 ** 17,
  columns: 2 ** 16,
  bits: 250,
  /** Slots of one commitment; a fraction tree over all of them has to have an address. */
  slots: 2 ** 30,
  /** Entries of masks and views together: they cost a bundle nothing and a verifier memory. */
  known: 2 ** 26,
};

/** @throws CodecError saying what is malformed */
export function fail(what: string): never {
  throw new CodecError(`the program is malformed: ${what}`);
}
