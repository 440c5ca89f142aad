/** What is said of a run as a whole. */
import type { RestsOn, VerifiedOutput } from '../verifier/index.ts';
import type { Phase } from './header.ts';

/** The type that a phase has under a calibration key. */
export interface TypeOfKey {
  readonly key: string;
  readonly bits: number;
  readonly frac: number;
}

/** A phase as a report says it. */
export interface PhaseReport {
  readonly first: number;
  readonly program: string;
  /** Types of the gradients of trained weights: a gradient below half a unit of its type trains nothing. */
  readonly gradients: readonly TypeOfKey[];
  /** Types of what gradients are made of, from the loss backwards: what is rounded away there reaches no weight. */
  readonly cotangents: readonly TypeOfKey[];
  /** Types that are others than in the phase before. */
  readonly changed: readonly {
    readonly key: string;
    readonly before: Phase['calibration'][string] | undefined;
    readonly after: Phase['calibration'][string];
  }[];
}

export interface AcceptedRun {
  readonly ok: true;
  readonly verdict: 'accepted';
  /** The run's digest, hex. */
  readonly run: string;
  readonly steps: number;
  /** Of each step, by name: those that are published. */
  readonly losses: readonly ReadonlyMap<string, number>[];
  readonly phases: readonly PhaseReport[];
  /** Digests of the commitments to the first and the last state, hex. */
  readonly start: string;
  readonly end: string;
  /** The last state, for what goes on from there. */
  readonly last: VerifiedOutput;
  /**
   * `seed`: everybody can work the first state out; `linked`: it is an adapter with an ordinary commitment, and the optimizer as it has to
   * begin; `committed`: its entries are in their types, and nothing else is known of it.
   */
  readonly began: 'seed' | 'linked' | 'committed';
  /** Adapters by their ordinary commitments, hex, and the step that they are before. */
  readonly links: readonly { readonly step: number; readonly adapter: string }[];
  /**
   * Who had the say in the order of rows. `customer`: it follows from his nonce and from commitments whose digests he gave; `unpinned`:
   * the same, of commitments that the trainer may have made again once he knew the nonce; `trainer`: he may have tried several nonces.
   */
  readonly order: 'customer' | 'unpinned' | 'trainer';
  /** What every step reads, and why that is believed. */
  readonly restsOn: readonly RestsOn[];
}

export interface RefusedRun {
  readonly ok: false;
  /** `unverified`: something is missing that a verdict would rest on. */
  readonly verdict: 'rejected' | 'unverified';
  /** The first step that fails; absent where it is the run as a whole. */
  readonly step?: number;
  readonly reason: string;
  readonly remedy?: string;
  /** Of `unverified`: sources that nobody has checked. */
  readonly sources?: readonly string[];
}

export type RunVerdict = AcceptedRun | RefusedRun;
