/** Tensors, terms and prover steps of a gadget program, as text: what `print.ts` and `zkl inspect` are made of. */
import { printAccess as printEntry, printGuards, type Names } from '../indices/print.ts';
import type { Compare } from '../tensor/program.ts';
import type { AxisBinding, GadgetFactor, GadgetProgram, GadgetStep, GadgetTensorClass, GadgetTerm } from './program.ts';

export const quoted = (name: string | undefined): string => JSON.stringify(name);

/** `t3 "delta"` */
export const printRef = (p: GadgetProgram, id: number): string => `t${id} ${quoted(p.tensors.at(id)?.name)}`;

type View = Extract<GadgetTensorClass, { kind: 'view' }>;
type NameOf = (tensor: number) => string;

const numbered: NameOf = (tensor) => `t${tensor}`;

/** What a view reads, e.g. `t3[i0 + 1, i1] if i0 < 3`; `i0`, `i1`, ... are the view's indices. */
export function printAccess({ of, at, guards }: View, nameOf = numbered): string {
  const where = guards.length === 0 ? '' : ` if ${printConditions(guards, nameOf)}`;
  // A view of a scalar has brackets all the same: what it reads is no tensor whole.
  return `${at.length === 0 ? `${nameOf(of)}[]` : printEntry(of, at, namesOf(nameOf))}${where}`;
}

/** `i0 < 3 and i1 == i0` */
export const printConditions = (guards: readonly Compare[], nameOf = numbered): string =>
  printGuards(guards, namesOf(nameOf));

const namesOf = (nameOf: NameOf): Names => ({ variable: (id) => `i${id}`, tensor: nameOf });

/** e.g. `+ 2 * sum(v0: 8) eq(o0, v0) * t3[o1, v0] * t2[v0]` */
export const printTerm = (p: GadgetProgram, target: number, term: GadgetTerm): string =>
  printSummand(
    p,
    target,
    term,
    term.factors.map((f) => `t${f.tensor}${printBindings(f)}`),
  );

/** The same with other names for the factors. */
export function printSummand(p: GadgetProgram, target: number, term: GadgetTerm, factors: readonly string[]): string {
  const { coefficient, free, shared, variables } = term;
  const [sign, size] = coefficient < 0n ? ['-', -coefficient] : ['+', coefficient];
  const ones = free.map((o) => `ones(o${o}: ${p.tensors.at(target)?.shape[o]})`);
  const sum = variables.length > 0 ? `sum(${variables.map((n, v) => `v${v}: ${n}`).join(', ')}) ` : '';
  const weights = shared.map((o, v) => `eq(o${o}, v${v})`);
  return `${sign} ${[`${size}`, ...ones].join(' * ')} * ${sum}${[...weights, ...factors].join(' * ') || '1'}`;
}

/** How a factor's axes are bound, e.g. `[o1, v0]`; 1/2 stands for an axis that is summed in it alone. */
export const printBindings = ({ axes }: GadgetFactor): string => `[${axes.map(printBinding).join(', ')}]`;

const printBinding = (a: AxisBinding): string =>
  a.kind === 'output' ? `o${a.output}` : a.kind === 'summed' ? `v${a.variable}` : '1/2';

/** How the prover finds a tensor: one line, and one more for each term of a sum. */
export function printStep(p: GadgetProgram, step: GadgetStep): string[] {
  switch (step.kind) {
    case 'equation':
      return [`step equation ${step.equation}: ${printRef(p, p.equations.at(step.equation)?.target ?? NaN)}`];
    case 'sum':
      return [`step ${printRef(p, step.target)} =`, ...step.terms.map((t) => `  ${printTerm(p, step.target, t)}`)];
    default:
      return [`step ${printRef(p, step.target)} = ${step.kind}(${[`t${step.of}`, ...argumentsOf(step)].join(', ')})`];
  }
}

function argumentsOf(step: Exclude<GadgetStep, { kind: 'equation' | 'sum' }>): string[] {
  switch (step.kind) {
    case 'floor':
    case 'root':
      return [`by ${typeof step.by === 'bigint' ? step.by : `t${step.by}`}`];
    case 'limb':
      return [`from ${step.from}`, `sign ${step.sign}`, `shift ${step.shift}`, `bits ${step.bits}`];
    case 'clamp':
      return [`${step.lo} .. ${step.hi}`];
    case 'table':
      return [`offset ${step.offset}`, `table ${step.table}`];
    case 'largest':
      return [`over ${step.over}`, ...(step.mask === undefined ? [] : [`mask t${step.mask}`])];
    case 'isZero':
    case 'after':
    case 'select':
      return [];
  }
}
