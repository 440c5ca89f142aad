/** What this machine has room for; bytes at most of files from strangers, by what they should be: more are not read. */
import { freemem, totalmem } from 'node:os';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';

/** Bytes that this process can still have: of the machine, or of the control group that it runs in. */
export const availableMemory = (): number => process.availableMemory() || freemem();

/** Bytes of the machine, or that its control group may have. */
export function wholeMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Of a text: longer ones are no strings. */
export const MAX_TEXT = 2 ** 28;

/** Of a bundle: a thousand times those of a whole model's. */
export const MAX_BUNDLE = 2 ** 30;

/** For each row of a source (its point, and those of the limbs of up to 48 bits) and for all else in a commitment. */
const [ROW, MESSAGES] = [4 * 48, 2 ** 24];

/** Of a commitment to a source of the program. */
export const mostOfCommitment = ({ sources }: Pick<GadgetProgram, 'sources'>): number =>
  ROW * Math.max(0, ...sources.map((s) => s.rows)) + MESSAGES;
