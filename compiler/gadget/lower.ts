/** From the tensor program to the gadget program: what is committed, and which sumcheck proves which equation when. */
import { tooWide } from '../bundle/magnitude.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { Span } from '../../grammar/span.ts';
import type { Compare, Equation, IndexExpr, Tensor, TensorProgram } from '../tensor/program.ts';
import { layOut, type FileTensor } from './layout.ts';
import type { CommittedSource, GadgetProgram, GadgetTensor, GadgetTensorClass, GadgetTerm } from './program.ts';
import { lowerTerm, usedVariables, type ViewMaker } from './terms.ts';

/** Integers wider than this could wrap in the 255-bit field when two of them are compared. */
const mostBits = 250;
/** The longest response, in scalars, that travels unfolded. */
const longestResponse = 256;

export function lower(program: TensorProgram): { gadgets?: GadgetProgram; diagnostics: Diagnostic[] } {
  const diagnostics = [
    ...program.equations.flatMap((e) => unsupportedEquation(program, e)),
    ...program.tensors.flatMap(unsupportedTensor),
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
  if (diagnostics.length > 0) return { diagnostics };

  const { sources, classes } = commitments(program);
  for (const e of program.equations)
    if (e.definition.kind === 'constant') classes.set(e.target, { kind: 'constant', values: e.definition.values });
  const tensors: MutableTensor[] = program.tensors.map((t) => ({
    ...describe(t),
    class: classes.get(t.id) ?? ({ kind: 'defined', level: 0 } as const),
  }));
  const make = viewMaker(tensors);
  const equations = program.equations.flatMap(({ target, indices, definition, span }) => {
    if (definition.kind !== 'polynomial') return [];
    const outputs = indices.map((i) => i.size);
    return [{ target, level: 0, terms: definition.polynomial.terms.map((t) => lowerTerm(t, outputs, make)), span }];
  });
  const wide = tooWide({ tensors, equations, sources });
  if (wide !== undefined) {
    const { span } = tensors.find((t) => t.name === wide) ?? { span: nowhere };
    return { diagnostics: [wideError(span, `sums of \`${wide}\` could wrap in the field`)] };
  }
  const levels = assignLevels(tensors, equations);
  const columns = Math.max(32, ...sources.map((s) => s.columns));
  return {
    gadgets: {
      name: program.name,
      tensors,
      equations: equations.filter((e) => e.level > 0),
      sources,
      publics: program.statement.filter((id) => program.tensors[id].visibility === 'public'),
      columns,
      folds: Math.max(0, Math.log2(columns / longestResponse)),
      levels,
    },
    diagnostics,
  };
}

const nowhere: Span = { source: '', start: 0, end: 0 };

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

function unsupportedEquation(program: TensorProgram, e: Equation): Diagnostic[] {
  const name = program.tensors[e.target].name;
  const d = e.definition;
  if (d.kind === 'constant') return [];
  if (d.kind !== 'polynomial') {
    const what = d.kind === 'round' ? '`round`' : d.kind === 'table' ? 'a table' : `\`${d.kind}\``;
    return [
      error(
        'ZKL502',
        e.span,
        `${what} cannot be proved yet`,
        `\`${name}\` is defined by ${what}`,
        'prove sums and products only; `zkl check` accepts the whole language',
      ),
    ];
  }
  const reads = d.polynomial.terms.some((t) =>
    [...t.factors.flatMap((f) => f.at), ...t.guards.flatMap((g) => [g.left, g.right])].some(readsEntry),
  );
  return reads
    ? [
        error(
          'ZKL503',
          e.span,
          'an index taken from a tensor cannot be proved yet',
          `\`${name}\` gathers by an index tensor`,
          'use index arithmetic, or select rows before proving',
        ),
      ]
    : [];
}

const readsEntry = (e: IndexExpr): boolean => {
  if (e.kind === 'entry') return true;
  if (e.kind === 'const' || e.kind === 'var') return false;
  return readsEntry(e.left) || ('right' in e && readsEntry(e.right));
};

function unsupportedTensor(t: Tensor): Diagnostic[] {
  const bits = [t.range.lo, t.range.hi].map((v) => (v < 0n ? -v - 1n : v).toString(2).length + 1);
  if (Math.max(...bits) > mostBits)
    return [wideError(t.span, `\`${t.name}\` needs ${Math.max(...bits)} bits, the field holds ${mostBits}`)];
  if (t.visibility === 'open')
    return [
      error(
        'ZKL505',
        t.span,
        '`open` tensors cannot be proved yet',
        `\`${t.name}\` is open`,
        'declare it `public`, or `secret` with a source',
      ),
    ];
  if (t.visibility !== 'secret') return [];
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
  if (!t.file || t.type?.kind !== 'fixed')
    return [
      error(
        'ZKL506',
        t.span,
        'secret inputs without a source cannot be proved yet',
        `\`${t.name}\` has no file`,
        'say where it comes from: `from adapter "..."`',
      ),
    ];
  return t.type.bits > 48
    ? [
        error(
          'ZKL504',
          t.span,
          'secret type too wide to prove',
          `\`${t.name}\` has ${t.type.bits} bits`,
          'use at most 48 bits',
        ),
      ]
    : [];
}

type MutableTensor = { -readonly [K in keyof GadgetTensor]: GadgetTensor[K] };

const describe = (t: Tensor): Omit<GadgetTensor, 'class'> => ({
  name: t.name,
  shape: t.shape,
  scale: t.scale,
  range: t.range,
  type: t.type,
  span: t.span,
});

/** Sources with their layouts, and the classes of all declared tensors. */
function commitments(program: TensorProgram): { sources: CommittedSource[]; classes: Map<number, GadgetTensorClass> } {
  const bySource = new Map<string, FileTensor[]>();
  const secrets = program.tensors.filter((t) => t.visibility === 'secret');
  for (const t of secrets) {
    if (!t.file || t.type?.kind !== 'fixed') continue;
    const list = bySource.get(t.file.source) ?? [];
    for (const name of t.file.names)
      list.push({ name, shape: t.shape.slice(t.file.stacked), bits: t.type.bits, frac: t.type.frac });
    bySource.set(t.file.source, list);
  }
  const sources = [...bySource].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, files]) => layOut(name, files));
  const classes = new Map<number, GadgetTensorClass>();
  for (const t of program.tensors) {
    if (t.visibility === 'public') classes.set(t.id, { kind: t.role === 'output' ? 'output' : 'input' });
    if (t.visibility !== 'secret' || !t.file) continue;
    const source = sources.findIndex((s) => s.name === t.file?.source);
    const files = t.file.names.map((n) => sources[source].tensors.findIndex((c) => c.name === n));
    classes.set(t.id, { kind: 'committed', source, stacked: t.file.stacked, files });
  }
  return { sources, classes };
}

/** Appends views and masks to the tensors; equal ones are made once. */
function viewMaker(tensors: MutableTensor[]): ViewMaker {
  const made = new Map<string, number>();
  const once = (key: unknown, build: () => MutableTensor): number => {
    const text = JSON.stringify(key);
    const known = made.get(text);
    if (known !== undefined) return known;
    made.set(text, tensors.push(build()) - 1);
    return tensors.length - 1;
  };
  return {
    shape: (tensor) => tensors[tensor].shape,
    view: (shape, of, at, guards) =>
      once(['view', shape, of, at, guards], () => {
        const { name, range, scale, span } = tensors[of];
        const withZero = { lo: range.lo < 0n ? range.lo : 0n, hi: range.hi > 0n ? range.hi : 0n };
        return {
          name: `view ${made.size} of ${name}`,
          shape,
          scale,
          range: withZero,
          span,
          class: { kind: 'view', level: 0, of, at, guards },
        };
      }),
    mask: (shape, guards: readonly Compare[]) =>
      once(['mask', shape, guards], () => ({
        name: `mask ${made.size} over ${usedVariables(guards.flatMap((g) => [g.left, g.right])).length} indices`,
        shape,
        scale: { num: 1n, den: 1n },
        range: { lo: 0n, hi: 1n },
        span: nowhere,
        class: { kind: 'constant', guards },
      })),
  };
}

/**
 * A claim about a hidden tensor arises at the levels of its readers, so it is settled one level after the last of them;
 * claims about public outputs arise at the start. Returns the number of levels.
 */
function assignLevels(
  tensors: MutableTensor[],
  equations: { target: number; level: number; terms: readonly GadgetTerm[] }[],
): number {
  const levels = tensors.map(() => 0);
  const raise = (id: number, level: number): void => {
    const c = tensors[id].class;
    if ((c.kind !== 'defined' && c.kind !== 'view') || isKnown(tensors, id)) return;
    levels[id] = Math.max(levels[id], level);
    if (c.kind === 'view') raise(c.of, level + 1);
  };
  // Equations stand in order of evaluation: backwards, all readers of a tensor come before its own equation.
  for (const e of [...equations].reverse()) {
    if (tensors[e.target].class.kind === 'output') levels[e.target] = 1;
    e.level = levels[e.target];
    if (e.level > 0) for (const f of e.terms.flatMap((t) => t.factors)) raise(f.tensor, e.level + 1);
  }
  for (const [id, t] of tensors.entries())
    if (t.class.kind === 'defined' || t.class.kind === 'view') t.class = { ...t.class, level: levels[id] };
  return Math.max(0, ...levels);
}

/** A view of something the verifier knows is known itself. */
function isKnown(tensors: readonly GadgetTensor[], id: number): boolean {
  const c = tensors[id].class;
  return c.kind === 'view'
    ? isKnown(tensors, c.of)
    : c.kind === 'input' || c.kind === 'output' || c.kind === 'constant';
}
