/** From syntax trees to tensor programs: names, shapes, index ranges, scales and integer ranges. Pure. */
import type * as ast from '../../grammar/ast.ts';
import type { Code } from '../../grammar/codes/index.ts';
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import { UNNAMED } from '../../grammar/index.ts';
import { checkCheck } from '../arguments.ts';
import { resolveStandard } from '../standard/index.ts';
import type { TensorProgram } from '../ir/tensor/program.ts';
import type { FixedType, Uncalibrated } from './context.ts';
import { Files } from './names/files.ts';
import type { ResolveImport } from './names/files.ts';
import type { Step } from './optimizers/step.ts';
import { checkModel } from './statements/model.ts';
import { tryUnused } from './statements/trials.ts';
import { Reporter, didYouMean } from './report.ts';
import { resolveItems, warnUnusedImports } from './names/resolve.ts';

export type { ResolveImport } from './names/files.ts';
export type { FixedType, Uncalibrated } from './context.ts';
export type { First } from './optimizers/first.ts';
export type { StateTensor, Step } from './optimizers/step.ts';

export interface CheckInput {
  /** As `parse` gave it; its own diagnostics are not repeated here. */
  readonly program: ast.Program;
  /** The name of the file in spans, as `parse` was given it; default `program.zkl`. */
  readonly source?: string | undefined;
  /** Where imports are looked up; default: `resolveStandard`, which has the standard library and nothing else. */
  readonly resolveImport?: ResolveImport | undefined;
  /** Only this model of the file. */
  readonly model?: string | undefined;
  /** Values for literal `dim`s and `const`s of the model. */
  readonly overrides?: Readonly<Record<string, string | number>>;
  /** Fixed-point types of bare `round`s, by `at` path and defined names, and of open tensors without a type. */
  readonly calibration?: Readonly<Record<string, FixedType>>;
  /**
   * The text had syntax errors, so that statements are missing from the tree: say nothing about names that may have been
   * defined there.
   */
  readonly incomplete?: boolean;
  /**
   * Make programs also where scales are left to calibration, which are then taken to be those of `fixed<16, 8>`: such a
   * program has the right shapes and says what is computed, but its integers mean nothing.
   */
  readonly provisional?: boolean;
  /** Also refuse what no proof can be made of yet: scales that are not known. */
  readonly forProof?: boolean;
}

export interface CheckResult {
  /** Where nothing is wrong: one for each model whose scales are all known (or provisional) and that has outputs, or a `train`, whose step it is. */
  readonly programs: readonly TensorProgram[];
  /** Of the programs that are a step of training, what it reads and makes. */
  readonly steps: ReadonlyMap<TensorProgram, Step>;
  /** Errors and warnings, in the order of their places. */
  readonly diagnostics: readonly Diagnostic[];
  /** What a calibration would have to say before there is a program. */
  readonly uncalibrated: readonly Uncalibrated[];
}

/** What a missing statement may cause elsewhere: unknown names and sources, nothing to prove, nothing that uses a thing. */
const MISSING: readonly Code[] = [
  'ZKL201',
  'ZKL220',
  'ZKL221',
  'ZKL204',
  'ZKL211',
  'ZKL240',
  'ZKL212',
  'ZKL241',
  'ZKL215',
  'ZKL602',
  'ZKL603',
  'ZKL604',
];

/** Checks a program. Errors are diagnostics, whatever the program. @throws ArgumentError where it is none */
export function check(input: CheckInput): CheckResult {
  checkCheck(input);
  const { program, source = UNNAMED, resolveImport = resolveStandard } = input;
  const reporter = new Reporter();
  const { scope, imported } = new Files(reporter, resolveImport).main(program, source);
  const all = program.items.filter((item) => item.kind === 'model');
  const models = input.model === undefined ? all : all.filter((model) => model.name.text === input.model);
  if (input.model !== undefined && models.length === 0) {
    const names = all.map((model) => model.name.text);
    const { help } = didYouMean(input.model, program.span, names);
    reporter.report({
      code: 'ZKL241',
      about: { name: input.model },
      span: program.span,
      label: 'in this file',
      help:
        help ?? (names.length === 0 ? 'the file has no models' : `it has ${names.map((n) => `\`${n}\``).join(', ')}`),
    });
  }
  const programs: TensorProgram[] = [];
  const steps = new Map<TensorProgram, Step>();
  const uncalibrated: Uncalibrated[] = [];
  for (const model of models) {
    const { overrides = {}, calibration = {}, provisional = false } = input;
    const own = new Reporter();
    const result = checkModel({ reporter: own, model, scope, overrides, calibration, provisional });
    if (input.forProof === true) refuseUncalibrated(own, result.uncalibrated);
    reporter.merge(own);
    if (result.program !== undefined) programs.push(result.program);
    if (result.program !== undefined && result.step !== undefined) steps.set(result.program, result.step);
    uncalibrated.push(...result.uncalibrated);
  }
  const trained = models.map((model) => model.train?.minimize.by.text);
  for (const { kind, name } of program.items) {
    const binding = kind === 'optimizer' && !trained.includes(name.text) ? scope.own(name.text) : undefined;
    if (binding?.kind === 'optimizer') tryUnused(reporter, binding);
  }
  resolveItems(reporter, program, scope);
  if (!reporter.failed) warnUnusedImports(reporter, program, imported, scope);
  const told = reporter.diagnostics.filter((d) => input.incomplete !== true || !MISSING.includes(d.code));
  const diagnostics = told.sort(
    (a, b) => Number(a.span.source !== source) - Number(b.span.source !== source) || a.span.start - b.span.start,
  );
  return { programs: reporter.failed ? [] : programs, steps, diagnostics, uncalibrated };
}

function refuseUncalibrated(reporter: Reporter, uncalibrated: readonly Uncalibrated[]): void {
  for (const { key, span } of uncalibrated)
    reporter.report({
      code: 'ZKL404',
      span,
      label: `calibration has no \`${key}\``,
      help: 'write the type, `round<bits, frac>(...)`, or let `zkl calibrate` choose it',
    });
}
