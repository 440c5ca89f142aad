/** The one model of a program that is to be run, not yet proved: for calibration and comparison. */
import { checkCompile } from '../../compiler/arguments.ts';
import { ZklError } from '../../compiler/ir/errors.ts';
import { check, type CheckInput, type FixedType, type Step } from '../../compiler/check/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { parse, UNNAMED, type Diagnostic } from '../../grammar/index.ts';

export interface ModelInput extends Pick<CheckInput, 'source' | 'resolveImport' | 'model' | 'overrides'> {
  readonly text: string;
}

export type ProgramProblem =
  | { readonly kind: 'errors'; readonly diagnostics: readonly Diagnostic[] }
  /** Scales that neither the program nor the calibration has. */
  | { readonly kind: 'uncalibrated'; readonly keys: readonly string[] }
  /** Not exactly one model with outputs. */
  | { readonly kind: 'models'; readonly models: readonly string[] };

/** A program that cannot be run. */
export class ProgramError extends ZklError {
  readonly source: string;
  readonly problem: ProgramProblem;

  constructor(source: string, problem: ProgramProblem) {
    const [message, remedy] = describe(source, problem);
    super('ProgramError', 'ZKL_PROGRAM', message, { remedy });
    this.source = source;
    this.problem = problem;
  }
}

function describe(source: string, problem: ProgramProblem): [message: string, remedy: string] {
  switch (problem.kind) {
    case 'errors': {
      const titles = problem.diagnostics.map((d) => d.title);
      return [`${source} has errors: ${titles.slice(0, 3).join('; ')}${titles.length > 3 ? '; ...' : ''}`, 'mend it'];
    }
    case 'uncalibrated':
      return [`${source} is not calibrated: there is no scale for "${problem.keys[0]}"`, 'calibrate it first'];
    case 'models': {
      const { models } = problem;
      return models.length === 0
        ? [`${source} has no model with outputs`, 'add `model NAME { ... }`']
        : [`${source} has ${models.length} models`, `choose one, e.g. ${models[0]}`];
    }
  }
}

export interface ModelScales {
  /** Types by calibration key. */
  readonly calibration?: Readonly<Record<string, FixedType>> | undefined;
  /** Take what has no scale as `fixed<16, 8>`: shapes are right, integers mean nothing. */
  readonly provisional?: boolean;
}

/** @throws ProgramError; ArgumentError */
export const modelOf = (input: ModelInput, scales: ModelScales = {}): TensorProgram =>
  checkedModel(input, scales).program;

/** The program, and where it is a step of training what the step reads and makes. @throws ProgramError; ArgumentError */
export function checkedModel(
  input: ModelInput,
  { calibration = {}, provisional = false }: ModelScales = {},
): { readonly program: TensorProgram; readonly step: Step | undefined } {
  checkCompile({ ...input, calibration });
  const { text, source = UNNAMED, resolveImport, model, overrides } = input;
  const parsed = parse(text, source);
  const incomplete = parsed.diagnostics.some((d) => d.severity === 'error');
  const checked = check({
    program: parsed.program,
    source,
    resolveImport,
    model,
    ...(overrides === undefined ? {} : { overrides }),
    calibration,
    provisional,
    incomplete,
  });
  const diagnostics = [...parsed.diagnostics, ...checked.diagnostics].filter((d) => d.severity === 'error');
  if (diagnostics.length > 0) throw new ProgramError(source, { kind: 'errors', diagnostics });
  const keys = checked.uncalibrated.map(({ key }) => key);
  if (keys.length > 0 && !provisional) throw new ProgramError(source, { kind: 'uncalibrated', keys });
  const [program] = checked.programs;
  if (checked.programs.length === 1) return { program, step: checked.steps.get(program) };
  throw new ProgramError(source, { kind: 'models', models: checked.programs.map((p) => p.name) });
}
