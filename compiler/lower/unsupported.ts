/** What a program may say and cannot be proved, each refused with what to do instead. */
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Span } from '../../grammar/span.ts';
import { tooWide, type Bounded } from '../ir/gadget/magnitude.ts';
import type { GadgetTerm } from '../ir/gadget/program.ts';
import { committedBits, integerBits } from '../ir/numbers/limits.ts';
import type { Equation, Tensor, TensorProgram, Term } from '../ir/tensor/program.ts';
import { nowhere } from './expressions.ts';

/** Tables of a sumcheck with more entries would not fit beside each other. */
const mostSummed = 2 ** 26;

const error = (code: string, span: Span, title: string, label: string, help: string): Diagnostic => ({
  code,
  severity: 'error',
  title,
  span,
  label,
  help,
});

const wideError = (span: Span, label: string): Diagnostic =>
  error('ZKL504', span, 'integers too wide to prove', label, 'use narrower types, or fewer products in a row');

/** What the gadget program is too large for: its integers for the field, its sums for memory. */
export function tooLarge(p: Bounded): Diagnostic | undefined {
  const wide = tooWide(p);
  if (wide !== undefined) {
    const { span } = p.tensors.find((t) => t.name === wide) ?? { span: nowhere };
    return wideError(span, `sums of \`${wide}\` could wrap in the field`);
  }
  for (const { target, terms, span } of p.equations) {
    const most = Math.max(0, ...terms.map(summedEntries));
    if (most > mostSummed)
      return error(
        'ZKL508',
        span,
        'a sum over too many indices at once',
        `\`${p.tensors[target].name}\` sums products over ${most} entries`,
        'give inner sums, and what an index from a tensor selects, names of their own with `round` around them',
      );
  }
  return undefined;
}

/** Over how many entries a term's sumcheck runs, axes padded to powers of two. */
const summedEntries = (t: GadgetTerm): number =>
  t.variables.reduce((n, length) => n * 2 ** Math.ceil(Math.log2(length)), 1);

/** `equations`: of the program, inlined. */
export function unsupported(program: TensorProgram, equations: readonly Equation[]): Diagnostic[] {
  const diagnostics = [
    ...equations.flatMap((e) => unsupportedEquation(program, e)),
    ...program.tensors.flatMap(unsupportedTensor),
    ...mixedSources(program),
  ];
  if (program.statement.every((id) => program.tensors[id].role !== 'output'))
    diagnostics.push(
      error(
        'ZKL507',
        program.tensors[0]?.span ?? nowhere,
        'nothing to prove',
        'no public output',
        'declare one with `public NAME[...] = ...`',
      ),
    );
  return diagnostics;
}

function unsupportedEquation(program: TensorProgram, e: Equation): Diagnostic[] {
  const { name } = program.tensors[e.target];
  const d = e.definition;
  const refuse = (what: string, help: string): Diagnostic[] => [
    error('ZKL502', e.span, `${what} cannot be proved yet`, `\`${name}\` is defined by it`, help),
  ];
  if (d.kind === 'argmax' && d.over.length > 1) return refuse('an `argmax` over several indices', 'reduce one index');
  if (d.kind !== 'round') return [];
  if (d.clamp && d.form !== 'P')
    return refuse(`\`round\` of a quotient or a root under a table that saturates`, 'round it by itself first');
  if (d.form === 'P/sqrt(Q)') {
    if (d.p.terms.some((t) => mayBeNegative(program, t)))
      return refuse('`round` of a number over a root that may be negative', 'round `1 / sqrt(...)`, then multiply');
  }
  return [];
}

/** Whether a term of a polynomial may be below 0, by the ranges of its factors. */
function mayBeNegative(program: TensorProgram, t: Term): boolean {
  const negative = t.factors.filter((f) => program.tensors[f.tensor].range.lo < 0n);
  return t.coefficient < 0n || negative.length > 0;
}

/** A source is committed as a whole, so all of it is secret or all of it open. */
function mixedSources(program: TensorProgram): Diagnostic[] {
  const open = new Set(program.tensors.filter((t) => t.visibility === 'open').map((t) => t.file?.source));
  return program.tensors
    .filter((t) => t.visibility === 'secret' && t.file && open.has(t.file.source))
    .map((t) =>
      error(
        'ZKL505',
        t.span,
        'a source of open and of secret tensors',
        `\`${t.name}\` is secret, other tensors of "${t.file?.source ?? ''}" are open`,
        'take them from two sources',
      ),
    );
}

function unsupportedTensor(t: Tensor): Diagnostic[] {
  const bits = [t.range.lo, t.range.hi].map((v) => (v < 0n ? -v - 1n : v).toString(2).length + 1);
  if (Math.max(...bits) > integerBits)
    return [wideError(t.span, `\`${t.name}\` needs ${Math.max(...bits)} bits, the field holds ${integerBits}`)];
  if (t.visibility !== 'secret' && t.visibility !== 'open') return [];
  if (t.role === 'output')
    return [
      error(
        'ZKL506',
        t.span,
        'secret outputs cannot be proved yet',
        `\`${t.name}\` leaves as a commitment`,
        'declare it `public`',
      ),
    ];
  if (!t.file && t.visibility === 'open')
    return [
      error(
        'ZKL505',
        t.span,
        'an open tensor without a source',
        `\`${t.name}\` has no file`,
        'say where it comes from: `from base "..."`',
      ),
    ];
  if (t.file && t.type?.kind !== 'fixed')
    return [
      error(
        'ZKL506',
        t.span,
        'indices from a source cannot be proved yet',
        `\`${t.name}\` is of indices`,
        'give them as an input',
      ),
    ];
  return t.type?.kind === 'fixed' && t.type.bits > committedBits
    ? [
        error(
          'ZKL504',
          t.span,
          'type too wide to prove',
          `\`${t.name}\` has ${t.type.bits} bits`,
          `use at most ${committedBits} bits`,
        ),
      ]
    : [];
}
