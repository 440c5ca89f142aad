/** What a program may say and cannot be proved, each refused with what to do instead. */
import { diagnose, type Diagnostic } from '../../grammar/diagnostic.ts';
import type { Span } from '../../grammar/span.ts';
import { tooWide, type Bounded } from '../ir/gadget/magnitude.ts';
import type { GadgetTerm } from '../ir/gadget/program.ts';
import { COMMITTED_BITS, INTEGER_BITS } from '../ir/numbers/limits.ts';
import { powerOfTwo } from '../ir/numbers/rational.ts';
import type { Equation, Tensor, TensorProgram, Term } from '../ir/tensor/program.ts';
import { nowhere } from './expressions.ts';

/** Tables of a sumcheck with more entries would not fit beside each other. */
const MAX_SUMMED = 2 ** 26;

const wideError = (span: Span, label: string): Diagnostic =>
  diagnose({ code: 'ZKL504', span, label, help: 'use narrower types, or fewer products in a row' });

/** What the gadget program is too large for: its integers for the field, its sums for memory. */
export function tooLarge(p: Bounded): Diagnostic | undefined {
  const wide = tooWide(p);
  if (wide !== undefined) {
    const { span } = p.tensors.find((t) => t.name === wide) ?? { span: nowhere };
    return wideError(span, `sums of \`${wide}\` could wrap in the field`);
  }
  for (const { target, terms, span } of p.equations) {
    const most = Math.max(0, ...terms.map(summedEntries));
    if (most > MAX_SUMMED)
      return diagnose({
        code: 'ZKL508',
        span: span,
        label: `\`${p.tensors[target].name}\` sums products over ${most} entries`,
        help: 'give inner sums, and what an index from a tensor selects, names of their own with `round` around them',
      });
  }
  return undefined;
}

/** Over how many entries a term's sumcheck runs, axes padded to powers of two. */
const summedEntries = (t: GadgetTerm): number =>
  t.variables.reduce((n, length) => n * 2 ** Math.ceil(Math.log2(length)), 1);

/** `equations`: of the program, inlined. */
export function unsupported(program: TensorProgram, equations: readonly Equation[]): Diagnostic[] {
  return [
    ...equations.flatMap((e) => unsupportedEquation(program, e)),
    ...program.tensors.flatMap(unsupportedTensor),
    ...mixedSources(program),
    ...openStates(program),
  ];
}

function unsupportedEquation(program: TensorProgram, e: Equation): Diagnostic[] {
  const d = e.definition;
  if (d.kind !== 'round') return [];
  const { span } = e;
  const label = `\`${program.tensors[e.target].name}\` is defined by it`;
  if (d.clamp && d.form !== 'P') return [diagnose({ code: 'ZKL502', span, label, help: 'round it by itself first' })];
  if (d.form === 'P/sqrt(Q)' && d.p.terms.some((t) => mayBeNegative(program, t)))
    return [diagnose({ code: 'ZKL510', span, label, help: 'round `1 / sqrt(...)`, then multiply' })];
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
      diagnose({
        code: 'ZKL505',
        span: t.span,
        label: `\`${t.name}\` is secret, other tensors of "${t.file?.source ?? ''}" are open`,
        help: 'take them from two sources',
      }),
    );
}

/** What another program puts out is secret. */
const openStates = ({ tensors, stateSources = [] }: TensorProgram): Diagnostic[] =>
  tensors
    .filter((t) => t.visibility === 'open' && t.file && stateSources.includes(t.file.source))
    .map((t) =>
      diagnose({
        code: 'ZKL515',
        span: t.span,
        label: `\`${t.name}\` is open, "${t.file?.source ?? ''}" is a state`,
        help: 'declare it `secret`, or take it from another source',
      }),
    );

/** Whether a tensor's integers are those of its type. */
const isFixed = ({ type, scale }: Tensor): boolean => {
  if (type?.kind !== 'fixed') return false;
  const { num, den } = powerOfTwo(-type.frac);
  return scale.num === num && scale.den === den;
};

function unsupportedTensor(t: Tensor): Diagnostic[] {
  const bits = [t.range.lo, t.range.hi].map((v) => (v < 0n ? -v - 1n : v).toString(2).length + 1);
  if (Math.max(...bits) > INTEGER_BITS)
    return [wideError(t.span, `\`${t.name}\` needs ${Math.max(...bits)} bits, the field holds ${INTEGER_BITS}`)];
  if (t.visibility !== 'secret' && t.visibility !== 'open') return [];
  if (t.role === 'output' && !isFixed(t))
    return [
      diagnose({
        code: 'ZKL514',
        span: t.span,
        label: `\`${t.name}\` is ${t.type?.kind === 'index' ? 'of indices' : 'exact'}`,
        help: 'round it, `round<16, 8>(...)`, or declare it `public`',
      }),
    ];
  if (!t.file && t.visibility === 'open')
    return [
      diagnose({
        code: 'ZKL512',
        span: t.span,
        label: `\`${t.name}\` has no file`,
        help: 'say where it comes from: `from base "..."`',
      }),
    ];
  return t.type?.kind === 'fixed' && t.type.bits > COMMITTED_BITS
    ? [
        diagnose({
          code: 'ZKL511',
          span: t.span,
          label: `\`${t.name}\` has ${t.type.bits} bits`,
          help: `use at most ${COMMITTED_BITS} bits`,
        }),
      ]
    : [];
}
