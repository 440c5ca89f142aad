/** How far a proof is, for those who wait for it. */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { tensorSections } from '../protocol/lookup/tensor-lookups.ts';

export type ProofPhase = 'evaluate' | 'commit' | 'lookups' | 'equations' | 'close';

export interface ProofProgress {
  readonly phase: ProofPhase;
  /** How much of the whole proof is done, by an estimate of its cost, from 0 to 1. It never falls. */
  readonly done: number;
}

export type OnProgress = (progress: ProofProgress) => void;

/** Between two turns of the event loop that a proof gives to others: signals, a page's input. */
const TURN_MILLISECONDS = 50;

/** A proof's phases with their shares of its cost. */
export class ProgressMeter {
  readonly #starts = new Map<ProofPhase, readonly [start: number, share: number]>();
  readonly #listener: OnProgress | undefined;
  #done = 0;
  #lastTurn = performance.now();

  /** @param costs of the phases in their order, in any unit. */
  constructor(costs: Readonly<Record<ProofPhase, number>>, listener: OnProgress | undefined) {
    const total = Object.values(costs).reduce((a, b) => a + b, 0);
    let at = 0;
    for (const phase of ['evaluate', 'commit', 'lookups', 'equations', 'close'] as const) {
      this.#starts.set(phase, [at / total, costs[phase] / total]);
      at += costs[phase];
    }
    this.#listener = listener;
  }

  /** `part` of a phase is done, from 0 to 1. Resolves at once, or after others had their turn. */
  async advance(phase: ProofPhase, part: number): Promise<void> {
    const [start, share] = this.#starts.get(phase)!;
    this.#done = Math.min(1, Math.max(this.#done, start + share * part));
    this.#listener?.({ phase, done: this.#done });
    const now = performance.now();
    if (now - this.#lastTurn < TURN_MILLISECONDS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#lastTurn = performance.now();
  }
}

/**
 * What the phases of a program's proof cost, in nanoseconds on one thread: 10 for a product of the evaluation, 1,200 for a value
 * committed, 240 for a leaf of the lookups, 60 for an entry of an equation's factors and 4 for one of an open matrix,
 * 20,000 for a column of the opening argument.
 */
export function proofCosts(program: GadgetProgram): Record<ProofPhase, number> {
  const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
  const factors = program.equations.flatMap((e) => e.terms.flatMap((t) => t.factors.map((f) => f.tensor)));
  const entries = factors.reduce((n, id) => n + size(program.tensors[id].shape), 0);
  const matrices = program.sources.reduce((n, s) => n + s.rows * s.columns, 0);
  const leaves = program.lookups.length > 0 ? 2 ** tensorSections(program).depth : 0;
  return {
    evaluate: 10 * entries,
    commit: 1200 * program.witnessRows * program.columns,
    lookups: 240 * leaves,
    equations: 60 * entries + 4 * matrices,
    close: 20_000 * program.columns + 4 * matrices,
  };
}
