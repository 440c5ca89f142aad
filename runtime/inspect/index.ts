/** What a bundle says of itself: what `zkl inspect` shows. */
import { requireBytes } from '../../compiler/ir/arguments.ts';
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import { printKernels } from '../../compiler/ir/gadget/kernels.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { disclosures, type Disclosure } from './disclosures.ts';
import { planOf, type Plan } from './plan.ts';
import { statementOf, type StatementTensor } from './statement.ts';

export type { Disclosure, DisclosureKind } from './disclosures.ts';
export type { Plan, PlannedEquation, PlannedLevel, PlannedLookups } from './plan.ts';
export type { StatementTensor } from './statement.ts';

export interface Inspected {
  /** The model's name. */
  readonly program: string;
  /** Names the program: 32 bytes. */
  readonly digest: Uint8Array;
  /** Who knows which tensor, in the order of the program. */
  readonly statement: readonly StatementTensor[];
  /** What the public outputs say of secrets, and how much. */
  readonly disclosures: readonly Disclosure[];
  /** What is committed to before, and in which rows. */
  readonly sources: readonly CommittedSource[];
  /** How its proofs are made, and what they cost. */
  readonly plan: Plan;
  /** The expressions kernels are generated from, and the summands that use each: the lines of `printKernels`. */
  readonly kernels: readonly string[];
}

/** @throws CodecError for bytes that are no bundle, ArgumentError */
export async function inspect(bundle: Uint8Array): Promise<Inspected> {
  requireBytes('bundle', bundle);
  return inspectBundle(decodeBundle(bundle));
}

export async function inspectBundle(bundle: Bundle): Promise<Inspected> {
  return {
    program: bundle.gadgets.name,
    digest: bundle.digest,
    statement: statementOf(bundle),
    disclosures: disclosures(bundle.gadgets),
    sources: bundle.gadgets.sources,
    plan: await planOf(bundle),
    kernels: printKernels(bundle.gadgets).trimEnd().split('\n'),
  };
}
