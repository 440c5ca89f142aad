/**
 * Summands of a level that differ only in their tensors, as those of equal layers do, stacked along an axis.
 *
 * The stack of summands l < n with weights w[l] is sum over l of w[l] * product over k of F_k[l, .], where F_k[l, .] is the
 * k-th factor of summand l: one summand more, whose last variables are the bits of l. Its messages are evaluations of the
 * stacked factors, F_k~(s, x) = sum over l of eq(s, l) * (factor k of summand l)~(x): a claim about n tensors at one point,
 * which the next level's summands stack again. So messages grow with the logarithm of the number of layers only, while
 * layers may differ in scales, tables and commitments.
 */
import type { GadgetProgram, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import { layoutAt } from '../../../compiler/ir/gadget/walk.ts';
import { add, bitsFor } from '../scalar.ts';

/** One point (a challenge per variable) for each axis of a tensor. */
export type AxisPoints = readonly (readonly bigint[])[];

/** A summand of a level's sumcheck: one term of the equation of a claimed tensor, or a view. */
export interface Summand {
  readonly claim: AxisPoints;
  /** The challenge power, times the term's coefficient and what is known of it. */
  readonly weight: bigint;
  readonly source:
    | { readonly kind: 'term'; readonly term: GadgetTerm }
    /** sum over positions of `of`: (sum of eq(claim, i) over i with at(i) = position) * of[position] */
    | { readonly kind: 'view'; readonly view: number; readonly of: number };
  /** Lengths of the summed variables. */
  readonly variables: readonly number[];
  /** Total degree in a variable, before the weight by eq. */
  readonly factors: number;
  /** How many leading variables are weighted by eq, and the point of that weight, all variables' bits in one. */
  readonly weights: readonly bigint[];
}

/** Summands alike but for their weights and tensors: at least one. */
export interface Stack {
  readonly members: readonly Summand[];
  /** Of each factor, whether its tensor is not the same in all members. */
  readonly varying: readonly boolean[];
}

/** Variables of each member. */
export const memberBits = ({ members }: Stack): number =>
  members[0].variables.reduce((n, length) => n + bitsFor(length), 0);

/** Variables of the whole stack. */
export const stackBits = (stack: Stack): number => memberBits(stack) + bitsFor(stack.members.length);

/** The degree of each round: the largest of the stacks that still have variables. */
export function roundDegrees(stacks: readonly Stack[]): number[] {
  const degrees: number[] = [];
  for (const stack of stacks) {
    const bits = stackBits(stack);
    for (let i = 0; i < bits; i++) degrees[i] = Math.max(degrees[i] ?? 0, roundDegree(stack, i));
  }
  return degrees;
}

export function roundDegree(stack: Stack, round: number): number {
  const { factors, weights } = stack.members[0];
  if (round < memberBits(stack)) return factors + (round < weights.length ? 1 : 0);
  return round < stackBits(stack) ? 1 + stack.varying.filter(Boolean).length : 0;
}

/** The tensor of each factor; of a view, the view and what it views. */
export const tensorsOf = ({ source }: Summand): readonly number[] =>
  source.kind === 'term' ? source.term.factors.map((f) => f.tensor) : [source.view, source.of];

/**
 * Stacks the summands, in the order of the first of each. Those that leave no message are not stacked: on a committed
 * tensor alone they are linear forms on its rows as they are.
 */
export function stackSummands(program: GadgetProgram, summands: readonly Summand[]): Stack[] {
  const stacks: (Stack | Map<string, Summand>)[] = [];
  const bySignature = new Map<string, Map<string, Summand>>();
  const signature = signer(program);
  for (const s of summands) {
    if (!leavesMessage(program, s)) {
      stacks.push({ members: [s], varying: tensorsOf(s).map(() => false) });
      continue;
    }
    const key = signature(s);
    let members = bySignature.get(key);
    if (members === undefined) {
      bySignature.set(key, (members = new Map<string, Summand>()));
      stacks.push(members);
    }
    const tensors = tensorsOf(s).join();
    const same = members.get(tensors);
    members.set(tensors, same ? { ...same, weight: add(same.weight, s.weight) } : s);
  }
  return stacks.map((stack) => (stack instanceof Map ? stackOf([...stack.values()]) : stack));
}

function stackOf(members: readonly Summand[]): Stack {
  const tensors = members.map(tensorsOf);
  // Views of one signature have the same weights.
  const isView = members[0].source.kind === 'view';
  const varying = tensors[0].map((id, k) => !(isView && k === 0) && tensors.some((own) => own[k] !== id));
  return { members, varying };
}

function leavesMessage(program: GadgetProgram, s: Summand): boolean {
  const tensors = s.source.kind === 'view' ? [s.source.of] : tensorsOf(s);
  const hidden = tensors.filter((id) => !isPublic(program, id));
  return hidden.length > 1 || (hidden.length === 1 && !isCommitted(program, hidden[0]));
}

/** Numbers points: equal ones alike. Made anew for each level, as it keeps what it has seen. */
export function pointNumbers(): (point: readonly bigint[]) => number {
  const [seen, known] = [new Map<readonly bigint[], number>(), new Map<string, number>()];
  const coordinates = new Map<bigint, number>();
  return (point) => {
    const before = seen.get(point);
    if (before !== undefined) return before;
    let text = '';
    for (const x of point) {
      let n = coordinates.get(x);
      if (n === undefined) coordinates.set(x, (n = coordinates.size));
      text += `${n},`;
    }
    const number = known.get(text) ?? known.size;
    known.set(text, number);
    seen.set(point, number);
    return number;
  };
}

/**
 * Names what all members of a stack have in common. Its parts are numbered: summands are many, and a bundle from outside
 * may have views with very long accesses.
 */
function signer(program: GadgetProgram): (s: Summand) => string {
  const numbers = new Map<string, number>();
  const numbered = <K>(textOf: (key: K) => string): ((key: K) => number) => {
    const numberOf = new Map<K, number>();
    return (key) => {
      let n = numberOf.get(key);
      if (n === undefined) {
        const text = textOf(key);
        n = numbers.get(text) ?? numbers.size;
        numbers.set(text, n);
        numberOf.set(key, n);
      }
      return n;
    };
  };
  const pointNumber = pointNumbers();
  const tensorNumber: (id: number) => number = numbered((id) => {
    const { class: c, shape } = program.tensors[id];
    const text = `${shape.join('x')} ${classText(program, id)}`;
    return c.kind === 'digits' ? `${text} ${JSON.stringify(c.axes)} of ${tensorNumber(c.of)}` : text;
  });
  const accessNumber = numbered((view: number) => {
    const c = program.tensors[view].class;
    return c.kind === 'view' ? JSON.stringify([c.at, c.guards]) : '';
  });
  return ({ claim, source, variables, weights }) => {
    if (source.kind === 'view') {
      const tensors = [accessNumber(source.view), tensorNumber(source.view), tensorNumber(source.of)];
      return ['view', ...tensors, ...claim.map(pointNumber)].join('|');
    }
    const factors = source.term.factors.map(({ tensor, axes }) => {
      const bound = axes.map((a) =>
        a.kind === 'output' ? pointNumber(claim[a.output]) : a.kind === 'summed' ? `variable ${a.variable}` : a.kind,
      );
      return `${tensorNumber(tensor)} at ${bound.join(';')}`;
    });
    return ['term', variables.join('x'), pointNumber(weights), ...factors].join('|');
  };
}

function classText(program: GadgetProgram, id: number): string {
  const c = program.tensors[id].class;
  if (isPublic(program, id)) return 'public';
  if (isCommitted(program, id)) return isOpen(program, id) ? 'open' : 'committed';
  return c.kind === 'defined' || c.kind === 'view' ? `${c.kind} at level ${c.level}` : c.kind;
}

export function isPublic(program: GadgetProgram, id: number): boolean {
  const c = program.tensors[id].class;
  return (
    c.kind === 'input' ||
    c.kind === 'output' ||
    c.kind === 'constant' ||
    c.kind === 'selector' ||
    (c.kind === 'view' && c.level === 0) ||
    (c.kind === 'digits' && isPublic(program, c.of))
  );
}

/** Rows of a source or of the proof itself, also where they are gathered, or seen through digits of their positions. */
export function isCommitted(program: GadgetProgram, id: number): boolean {
  const c = program.tensors[id].class;
  if (c.kind === 'digits') return isCommitted(program, c.of);
  return c.kind === 'committed' || c.kind === 'gathered' || c.kind === 'witness';
}

export function isOpen(program: GadgetProgram, id: number): boolean {
  const c = program.tensors[id].class;
  if (c.kind === 'digits' || c.kind === 'gathered') return isOpen(program, c.of);
  return c.kind === 'committed' && layoutAt(program, c.source).open === true;
}
