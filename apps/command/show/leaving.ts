/** What leaves a proof as a commitment, as files beside the proof: for people, and for programs. */
import type { ProvedOutput } from '../../../runtime/prover/index.ts';
import type { Json } from '../parse/command.ts';
import { hex } from './text.ts';

/** Where the files of one output go: its commitment, and its opening and numbers, which are secret. */
export interface Leaving {
  readonly name: string;
  readonly commitment: string;
  readonly opening: string;
  readonly numbers: string;
}

export const leavingText = (places: readonly Leaving[], made: ReadonlyMap<string, ProvedOutput>): string[] =>
  places.flatMap(({ name, commitment, opening, numbers }) => [
    `secret output ${name}: ${commitment}, to publish; its digest is ${hex(made.get(name)?.digest ?? new Uint8Array(0))}`,
    `  ${opening} and ${numbers}, to keep secret: with them a later proof takes it`,
  ]);

export const leavingJson = (places: readonly Leaving[], made: ReadonlyMap<string, ProvedOutput>): Json =>
  Object.fromEntries(
    places.map(({ name, ...files }) => [name, { ...files, digest: hex(made.get(name)?.digest ?? new Uint8Array(0)) }]),
  );
