/** What the page and its engine, a worker that computes, say to one another. */

export type DeviceName = 'wasm' | 'webgpu';

/** What this browser offers. */
export interface Machine {
  /** As the device names itself: `wasm (8 threads)`. */
  readonly wasm: string;
  /** Why there is one thread only, where that is so. */
  readonly singleThreaded?: string;
  readonly gpu: { readonly adapter: string; readonly software: boolean } | { readonly problem: string };
}

export interface Named {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The two files of a PEFT adapter. */
export interface AdapterFiles {
  readonly config: string;
  readonly tensors: Uint8Array;
}

export interface ProofFiles {
  readonly bundle: Uint8Array;
  readonly commitments: readonly Named[];
  readonly proof: Uint8Array;
  /** What the proof has to be bound to; empty for nothing. */
  readonly context: string;
  /** What commitments have to be, as lines of `expected.ts`. */
  readonly expected: readonly string[];
}

export type Request =
  | { readonly kind: 'look' }
  | { readonly kind: 'demo'; readonly device: DeviceName; readonly adapter: AdapterFiles }
  | { readonly kind: 'verify'; readonly device: DeviceName; readonly files: ProofFiles };

/** A public tensor of an accepted proof. */
export interface PublicTensor {
  readonly name: string;
  readonly kind: 'input' | 'output';
  readonly shape: readonly number[];
  readonly least: number;
  readonly greatest: number;
}

export type Update =
  | { readonly kind: 'machine'; readonly machine: Machine }
  | { readonly kind: 'program'; readonly text: string }
  | { readonly kind: 'step'; readonly step: string; readonly milliseconds: number; readonly detail: string }
  /** Files that were made, to be downloaded. */
  | { readonly kind: 'files'; readonly files: readonly Named[] }
  | {
      readonly kind: 'verdict';
      readonly accepted: boolean;
      readonly text: string;
      readonly publics: readonly PublicTensor[];
    }
  | { readonly kind: 'failed'; readonly message: string; readonly remedy: string }
  /** Nothing more follows on this request. */
  | { readonly kind: 'end' };

export type Report = (update: Update) => void;
