/** How near the scores of integers are to those of float64: the most likely tokens, and the losses of the tokens that follow. */
import type { Numbers } from '../../runtime/evaluate/index.ts';
import { largest, losses } from './difference.ts';
import type { Reference } from './samples.ts';

/** Over the samples that were run to their end. */
export interface Scores {
  /** The part of all positions at which both have the same most likely token. */
  readonly agreement?: number;
  /** The part of all samples whose last position has it. */
  readonly lastAgreement?: number;
  /** Positions at which float64's two most likely tokens are less than `TIE` apart, so that anything decides between them. */
  readonly ties?: number;
  /** As `agreement`, ties left out. */
  readonly clearAgreement?: number;
  /** In nats, means over positions: of the integers and of float64, and of the magnitude of their difference at a position. */
  readonly crossEntropy?: number;
  readonly floatCrossEntropy?: number;
  readonly meanDifference?: number;
  /** With the reference's logits. */
  readonly referenceAgreement?: number;
  /** The largest difference of a float64 logit from the reference's. */
  readonly referenceError?: number;
  readonly referenceCrossEntropy?: number;
}

/** A smaller difference between the scores of two tokens is a tie. */
export const TIE = 0.01;

export interface Scoring {
  /** Of sample number `sample`: scores by position and token, row-major. */
  add(sample: number, integers: Numbers, floats: Numbers, targets: ArrayLike<number> | undefined): void;
  summary(): { readonly scores: Scores; readonly positions: number };
}

/** @param vocabulary how many tokens a position has scores for */
export function createScoring(vocabulary: number, reference: Reference | undefined): Scoring {
  const sums = new Map<keyof Scores, { value: number; count: number }>();
  const add = (name: keyof Scores, value: number, count: number): void => {
    const sum = sums.get(name) ?? { value: 0, count: 0 };
    sums.set(name, { value: sum.value + value, count: sum.count + count });
  };
  let ties = 0;
  const agreeing = (x: Int32Array, y: Int32Array): number => x.reduce((n, v, t) => n + Number(v === y[t]), 0);
  return {
    add(sample, integers, floats, targets) {
      const [a, b] = [largest(integers, vocabulary), largest(floats, vocabulary)];
      const clear = b.map((best, t) => Number(isClear(floats, vocabulary, t, best)));
      const positions = b.length;
      add('agreement', agreeing(a, b), positions);
      add('lastAgreement', Number(a[positions - 1] === b[positions - 1]), 1);
      const clearly = clear.reduce((n, v) => n + v, 0);
      ties += positions - clearly;
      add(
        'clearAgreement',
        clear.reduce((n, v, t) => n + v * Number(a[t] === b[t]), 0),
        clearly,
      );
      const given = reference?.logits[sample];
      if (given !== undefined) {
        add('referenceAgreement', agreeing(a, largest(given.subarray(0, integers.length), vocabulary)), positions);
        add('referenceError', Math.max(...floats.map((v, k) => Math.abs(v - given[k]))), 1);
      }
      if (targets === undefined) return;
      const [own, wanted] = [losses(integers, vocabulary, targets), losses(floats, vocabulary, targets)];
      const sum = (list: Float64Array): number => list.reduce((n, v) => n + v, 0);
      add('crossEntropy', sum(own), own.length);
      add('floatCrossEntropy', sum(wanted), own.length);
      add('meanDifference', sum(own.map((v, t) => Math.abs(v - wanted[t]))), own.length);
      const loss = reference?.crossEntropy[sample];
      if (loss !== undefined) add('referenceCrossEntropy', loss, 1);
    },
    summary: () => ({
      scores: {
        ...(sums.has('agreement') ? { ties } : undefined),
        ...Object.fromEntries(
          [...sums].flatMap(([name, { value, count }]) => (count === 0 ? [] : [[name, value / count]])),
        ),
      },
      positions: sums.get('agreement')?.count ?? 0,
    }),
  };
}

function isClear(scores: Numbers, vocabulary: number, position: number, best: number): boolean {
  const from = position * vocabulary;
  const bound = scores[from + best] - TIE;
  for (let v = 0; v < vocabulary; v++) if (v !== best && scores[from + v] > bound) return false;
  return true;
}
