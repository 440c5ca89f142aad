/** Where a run is kept: a directory, or anything else that has files by name. */

import { decodeHeader, type RunHeader } from '../../runtime/run/header.ts';

export interface RunFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** For its owner alone. */
  readonly secret?: boolean;
}

export interface RunStore {
  /** Undefined where there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
  has(name: string): Promise<boolean>;
  /** Writes all of them, each whole, in this order: wherever it is interrupted, a file is there only after those before it. */
  write(files: readonly RunFile[]): Promise<void>;
}

const number = (k: number): string => String(k).padStart(6, '0');

/** Names of the files of a run. What begins with `private/` is as secret as data and adapter. */
export const runFiles = {
  header: 'run.json',
  program: (digest: string): string => `programs/${digest}.zkb`,
  /** The published commitment to what every step reads from a source; the state's is `start`, and no source has a name with a hyphen. */
  commitment: (source: string): string =>
    source === 'state' ? 'start.zkc' : source === 'start' ? 'start-source.zkc' : `${source}.zkc`,
  proof: (step: number): string => `steps/${number(step)}.zkp`,
  /** An ordinary commitment to the adapter in the state before a step, and the proof that they are one. */
  linkCommitment: (step: number): string => `links/${number(step)}.zkc`,
  link: (step: number): string => `links/${number(step)}.zkp`,
  linkOpening: (step: number): string => `private/links/${number(step)}.zko`,
  opening: (source: string): string => `private/${source}.zko`,
  /** The configuration of the adapter, for its export. */
  adapter: 'private/adapter_config.json',
  state: (step: number): string => `private/state/${number(step)}.safetensors`,
  stateOpening: (step: number): string => `private/state/${number(step)}.zko`,
} as const;

/** The header of a run; undefined where there is none yet. @throws CodecError */
export async function readHeader(store: RunStore): Promise<RunHeader | undefined> {
  const bytes = await store.read(runFiles.header);
  return bytes && decodeHeader(new TextDecoder().decode(bytes));
}

/** A run in memory. */
export function memoryStore(): RunStore & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    read: async (name) => files.get(name)?.slice(),
    has: async (name) => files.has(name),
    write: async (given) => {
      for (const { name, bytes } of given) files.set(name, bytes.slice());
    },
  };
}
