/**
 * The compiler: text to bundle, stage by stage, each stage a pure function.
 *
 *   text -> syntax tree -> tensor program -> gadget program -> bundle
 *
 * @module
 */
import { diagnose, type Diagnostic } from '../grammar/diagnostic.ts';
import { parse, UNNAMED } from '../grammar/index.ts';
import { checkCompile } from './arguments.ts';
import { encodeBundle } from './bundle/bundle.ts';
import { CodecError } from './bundle/canonical.ts';
import { kernelsSection } from './bundle/kernels-section.ts';
import { badName } from './bundle/names.ts';
import { readGadgetProgram } from './bundle/read.ts';
import { check, type CheckInput } from './check/index.ts';
import { lower } from './lower/lower.ts';
import type { GadgetProgram } from './ir/gadget/program.ts';
import { layoutsOf } from './ir/gadget/walk.ts';
import { resolveStandard } from './standard/index.ts';
import { printWithoutDigests } from './ir/tensor/print.ts';
import type { TensorProgram } from './ir/tensor/program.ts';

export { check } from './check/index.ts';
export { printKernels } from './ir/gadget/kernels.ts';
export { printGadgetProgram } from './ir/gadget/print.ts';
export { printTensorProgram } from './ir/tensor/print.ts';
export { resolveStandard } from './standard/index.ts';
export type { GadgetProgram } from './ir/gadget/program.ts';
export type { TensorProgram } from './ir/tensor/program.ts';
export type { Diagnostic } from '../grammar/index.ts';

export interface CompileInput extends Pick<CheckInput, 'resolveImport' | 'model' | 'overrides' | 'calibration'> {
  readonly text: string;
  /** The file's name in messages and in the bundle; default `program.zkl`. */
  readonly source?: string | undefined;
  /** Texts that the bundle keeps beside the sources, for people: neither program nor digest depends on them. */
  readonly notes?: readonly { readonly name: string; readonly text: string }[];
}

export interface Compiled {
  /** Only if there is no error. */
  readonly bundle?: Uint8Array;
  readonly tensors?: TensorProgram;
  readonly gadgets?: GadgetProgram;
  readonly diagnostics: readonly Diagnostic[];
}

/** Compiles one model. Errors are diagnostics, whatever the text. @throws ArgumentError where the text is none */
export function compile(input: CompileInput): Compiled {
  checkCompile(input);
  const { text, source = UNNAMED } = input;
  const parsed = parse(text, source);
  const incomplete = parsed.diagnostics.some((d) => d.severity === 'error');
  const checked = check({ ...input, program: parsed.program, forProof: true, incomplete });
  const diagnostics: Diagnostic[] = [...parsed.diagnostics, ...checked.diagnostics];
  if (diagnostics.some((d) => d.severity === 'error')) return { diagnostics };
  if (checked.programs.length !== 1) return { diagnostics: [...diagnostics, chooseModel(input, checked.programs)] };
  const [tensors] = checked.programs;
  const { gadgets, diagnostics: lowering } = lower(tensors);
  diagnostics.push(...lowering);
  if (!gadgets) return { tensors, diagnostics };
  const sources = [...usedSources(input, gadgets), ...(input.notes ?? [])];
  diagnostics.push(...refusedNames(source, gadgets, sources));
  if (diagnostics.some((d) => d.severity === 'error')) return { tensors, diagnostics };
  const unreadable = refused(source, gadgets);
  if (unreadable) return { tensors, diagnostics: [...diagnostics, unreadable] };
  const bundle = encodeBundle({
    gadgets,
    tensors: printWithoutDigests(tensors),
    kernels: kernelsSection(gadgets),
    sources,
  });
  return { bundle, tensors, gadgets, diagnostics };
}

/** What nobody who gets the bundle would read, the compiler does not write. */
function refused(source: string, gadgets: GadgetProgram): Diagnostic | undefined {
  try {
    readGadgetProgram(gadgets);
    return undefined;
  } catch (e) {
    if (!(e instanceof CodecError)) throw e;
    return diagnose({
      code: 'ZKL509',
      span: { source, start: 0, end: 0 },
      label: e.message.replace('the program is malformed: ', ''),
      help: 'fewer or smaller tensors are needed: split the model',
    });
  }
}

/** Names that no bundle may have: they are shown to people. */
function refusedNames(
  source: string,
  gadgets: GadgetProgram,
  sources: readonly { readonly name: string }[],
): Diagnostic[] {
  const start = { source, start: 0, end: 0 };
  const declared = gadgets.tensors.find((t) => t.class.kind === 'committed');
  const named = [
    ...sources.map(({ name }) => ({ what: 'the name of a source file', name, span: start })),
    ...gadgets.tensors.map(({ name, span }) => ({ what: 'the name of a tensor', name, span })),
    ...gadgets.tables.flatMap((t) =>
      t.kind === 'function' ? [{ what: 'the name of a table', name: t.name, span: start }] : [],
    ),
    ...layoutsOf(gadgets).flatMap((s) => {
      const span = declared?.span ?? start;
      return [
        { what: 'the name of a source of weights', name: s.name, span },
        ...s.tensors.map((t) => ({ what: 'the name of a tensor in a checkpoint', name: t.name, span })),
      ];
    }),
  ];
  return named.flatMap(({ what, name, span }): Diagnostic[] => {
    const bad = badName(name);
    if (bad === undefined) return [];
    const help = 'names are shown where a proof is judged: give it another';
    return [diagnose({ code: 'ZKL219', span, label: `${what} ${bad}`, help })];
  });
}

function chooseModel({ source = UNNAMED }: CompileInput, programs: readonly TensorProgram[]): Diagnostic {
  const span = { source, start: 0, end: 0 };
  const names = programs.map((p) => p.name);
  return names.length === 0
    ? diagnose({ code: 'ZKL242', span, label: 'the file declares no `model`', help: 'add `model NAME { ... }`' })
    : diagnose({
        code: 'ZKL213',
        span,
        label: `the file has ${names.join(', ')}`,
        help: `choose one, e.g. --model ${names[0]}`,
      });
}

/** The file itself and the imports that something of the program stands in. */
function usedSources(
  { text, source = UNNAMED, resolveImport = resolveStandard }: CompileInput,
  gadgets: GadgetProgram,
): { name: string; text: string }[] {
  const names = new Set([...gadgets.tensors, ...gadgets.equations].map((x) => x.span.source));
  names.delete('');
  names.delete(source);
  const imported = [...names].sort().flatMap((name) => {
    const found = resolveImport(name);
    return found ? [{ name, text: found.text }] : [];
  });
  return [{ name: source, text }, ...imported];
}
