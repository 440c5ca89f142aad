/** Whether a proof that a run has is of the states that it has: of a state that was lost and made again the opening is another. */
import { CodecError } from '../../compiler/ir/errors.ts';
import { decodeOpening, decodeProofHead } from '../../runtime/codec/files.ts';
import { toHex } from '../../runtime/verifier/verdict.ts';
import type { RunStore } from './store.ts';

export interface Proved {
  /** Names of the openings of what the proof reads of the run's states and adapters, and of the state that it makes. */
  readonly reads: readonly string[];
  readonly makes?: string;
  readonly context: Uint8Array;
}

/** A proof that is missing, damaged, or of other states is none. */
export async function isProved(store: RunStore, name: string, { reads, makes, context }: Proved): Promise<boolean> {
  const proof = await store.read(name);
  if (proof === undefined) return false;
  const digestOf = async (opening: string): Promise<string | undefined> => {
    const bytes = await store.read(opening);
    return bytes && toHex(decodeOpening(bytes).commitment);
  };
  try {
    const head = decodeProofHead(proof);
    const commitments = head.commitments.map(toHex);
    for (const opening of reads) if (!commitments.includes((await digestOf(opening)) ?? '')) return false;
    if (makes !== undefined && !head.outputs.map(toHex).includes((await digestOf(makes)) ?? '')) return false;
    return toHex(head.context) === toHex(context);
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}
