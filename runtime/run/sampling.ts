/**
 * Which rows of a data set each step of a run takes: the rule that makes the order of training public, and nobody's choice
 * once seed and data are fixed. Every epoch is a permutation of all rows (Fisher and Yates; Durstenfeld, "Random
 * permutation", CACM 7(7), 1964), drawn without bias from SHA-256 in counter mode, and steps take `batch` rows after another
 * of all epochs end to end. Where `batch` does not divide the number of rows, the step over an epoch's end may hold a row
 * twice.
 */
import { concatBytes } from '@noble/hashes/utils.js';
import { ArgumentError } from '../../compiler/ir/errors.ts';
import { kindOf } from '../../compiler/ir/arguments.ts';
import { domainTag } from '../../compiler/bundle/version.ts';
import { sha256 } from '../protocol/statement/statement.ts';

export interface Sampling {
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** Rows of the data set, at least 1 and below 2^32. */
  readonly rows: number;
  /** Rows of a step, at least 1. */
  readonly batch: number;
}

const MAX_ROWS = 2 ** 32;
const WORDS = 1n << 64n;

/** Big-endian, 8 bytes. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Words of 64 bits that a seed and a number give, one after the other. */
function* words(seed: Uint8Array, epoch: number): Generator<bigint, never> {
  const start = concatBytes(domainTag('epoch\n'), seed, word(epoch));
  for (let counter = 0; ; counter++) {
    const block = sha256(concatBytes(start, word(counter)));
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    for (let k = 0; k < 4; k++) yield view.getBigUint64(8 * k);
  }
}

/** The permutation of the rows that an epoch is, from 0. */
export function epochOrder({ seed, rows }: Pick<Sampling, 'seed' | 'rows'>, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, k) => k);
  const drawn = words(seed, epoch);
  for (let k = rows - 1; k > 0; k--) {
    const choices = BigInt(k + 1);
    // Words from the largest multiple of `choices` on would favour small numbers.
    const limit = WORDS - (WORDS % choices);
    let value = drawn.next().value;
    while (value >= limit) value = drawn.next().value;
    const other = Number(value % choices);
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}

/** The rows of steps, for whoever asks for one after the other: an epoch's order is kept. */
export interface Sampler {
  /** The rows of a step, from 0, in order. */
  rows(step: number): number[];
}

/** @throws ArgumentError */
export function createSampler(sampling: Sampling): Sampler {
  const { seed, rows, batch } = sampling;
  if (!(seed instanceof Uint8Array) || seed.length !== 32)
    throw new ArgumentError('sampling.seed', '32 bytes', kindOf(seed));
  if (!Number.isInteger(rows) || rows < 1 || rows >= MAX_ROWS)
    throw new ArgumentError('sampling.rows', 'a number of rows from 1 to 2^32 - 1', kindOf(rows));
  if (!Number.isInteger(batch) || batch < 1)
    throw new ArgumentError('sampling.batch', 'a number of rows, at least 1', kindOf(batch));
  let epoch = -1;
  let order = new Uint32Array();
  const at = (place: number): number => {
    const wanted = Math.floor(place / rows);
    if (wanted !== epoch) [epoch, order] = [wanted, epochOrder(sampling, wanted) as Uint32Array<ArrayBuffer>];
    return order[place - wanted * rows];
  };
  return { rows: (step) => Array.from({ length: batch }, (_, k) => at(step * batch + k)) };
}
