/** A matrix as its owner has it: a digest of its entries, and the blindings of its rows. */
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import type { MatrixEntries } from '../../protocol/commitment/matrix.ts';
import { sha256 } from '../../protocol/statement/statement.ts';
import { Randomness } from '../randomness.ts';

/** In the place of a seed: the rows have no blindings. */
export const withoutBlindings = new Uint8Array(32);

/** The blindings of a source's rows, from the seed that the opening file keeps. */
export const rowBlindings = (source: CommittedSource, seed: Uint8Array): bigint[] =>
  seed.every((b) => b === 0)
    ? Array.from({ length: source.rows }, () => 0n)
    : new Randomness('row blindings', seed).scalars(source.rows);

/** What binds an opening to the weights it was made for. */
export const matrixDigest = (entries: MatrixEntries): Uint8Array => sha256(bytesOf(entries));

/** As a digest takes them: of a matrix in parts, in the order of its rows. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: MatrixEntries): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A seed for `rowBlindings`: depends on the entropy, the layout and the content, so that no two matrices share one. */
export const blindingSeed = (entropy: Uint8Array, layout: Uint8Array, entries: MatrixEntries): Uint8Array =>
  new Randomness('blinding seed', entropy, layout, matrixDigest(entries)).bytes(32);
