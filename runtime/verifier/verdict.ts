/**
 * What a verifier says, and what that rests on. The same words are used wherever something committed is verified: a proof is about
 * commitments, and an accepted proof says no more about a model than is known of these.
 */
import { ArgumentError } from '../../compiler/ir/errors.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import type { VerifiedOutput } from './outputs.ts';

/**
 * Why a commitment is believed to be to what it should be to:
 *
 * - `checked now`: compared with the weights themselves, in this run;
 * - `checked earlier`: its digest is one that was compared with the weights before;
 * - `pinned`: its digest is the one that was expected;
 * - `trusted`: taken as it came, on an explicit word;
 * - `adopted`: it is the output of a proof that was accepted before it, whatever that proof rests on;
 * - `given`: taken as it came, perhaps together with the proof. For secret weights alone: that every entry is in range is proved, whose
 *   weights they are is not.
 */
export type Basis = 'checked now' | 'checked earlier' | 'pinned' | 'trusted' | 'adopted' | 'given';

/** What stands behind one source of a program. */
export interface RestsOn {
  readonly source: string;
  /** Open weights are public, and nothing is proved of their commitment: it has to be checked, pinned or trusted. */
  readonly visibility: 'open' | 'secret';
  /** Of the commitment, as it stands in the statement: 64 hexadecimal digits. */
  readonly digest: string;
  readonly basis: Basis;
}

export interface Accepted {
  readonly ok: true;
  readonly verdict: 'accepted';
  /** The program's digest: 64 hexadecimal digits. */
  readonly program: string;
  /** `given`: the program is whatever the bundle holds. */
  readonly programBasis: 'pinned' | 'given';
  /** Whether the proof is bound to a context; one that is not can be shown again in any session. */
  readonly context: 'bound' | 'none';
  /** One entry per source of the program. */
  readonly restsOn: readonly RestsOn[];
  /** Public tensors by name, as integers. */
  readonly publics: ReadonlyMap<string, IntegerArray>;
  /** The commitments that the proof made, by name. */
  readonly outputs: ReadonlyMap<string, VerifiedOutput>;
}

/** The proof, or something that it is about, is not what it should be. */
export interface Rejected {
  readonly ok: false;
  readonly verdict: 'rejected';
  readonly reason: string;
}

/** Nothing is known about the proof: something is missing that a verdict would rest on. */
export interface Unverified {
  readonly ok: false;
  readonly verdict: 'unverified';
  readonly reason: string;
  readonly remedy: string;
  /** Sources whose commitments are missing, or were checked by nobody. */
  readonly sources: readonly string[];
}

export type ProofVerdict = Accepted | Rejected | Unverified;

/** SHA-256 as 32 bytes, or as 64 hexadecimal digits. */
export type Digest = Uint8Array | string;

/** What a source's commitment has to be: its digest, and how that came to be known (default `pinned`); or `trusted`, whatever it is. */
export type Expectation =
  | Digest
  | { readonly digest: Digest; readonly basis: 'pinned' | 'checked now' | 'checked earlier' }
  | { readonly basis: 'trusted' };

export interface Expected {
  /** The program's digest. */
  readonly program?: Digest | undefined;
  /** By source. */
  readonly sources?: Readonly<Record<string, Expectation>> | undefined;
}

export const toHex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** @throws ArgumentError for what is no digest */
export function digestText(digest: Digest, what: string): string {
  const text = typeof digest === 'string' ? digest.toLowerCase() : toHex(digest);
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new ArgumentError(
      `options.expect, ${what}`,
      'a SHA-256 digest: 32 bytes or 64 hexadecimal digits',
      'something else',
    );
  return text;
}

/** What is expected of the commitments of a program's sources, by position. @throws ArgumentError for a source that it has not */
export function expectations(
  sources: readonly Pick<CommittedSource, 'name'>[],
  expected: Expected,
): readonly ({ readonly digest?: string; readonly basis: Basis } | undefined)[] {
  const given = new Map(Object.entries(expected.sources ?? {}));
  const names = sources.map((s) => s.name);
  const unknown = [...given.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new ArgumentError(
      'options.expect.sources',
      `a source of the program: ${names.join(', ')}`,
      JSON.stringify(unknown),
    );
  return sources.map(({ name }) => {
    const own = given.get(name);
    if (own === undefined) return undefined;
    const what = `the commitment to ${JSON.stringify(name)}`;
    if (typeof own === 'string' || own instanceof Uint8Array) return { digest: digestText(own, what), basis: 'pinned' };
    return own.basis === 'trusted' ? own : { digest: digestText(own.digest, what), basis: own.basis };
  });
}
