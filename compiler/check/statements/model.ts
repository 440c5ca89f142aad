/** Reads one model from top to bottom into a tensor program. */
import type * as ast from '../../../grammar/ast.ts';
import type { Rational, TensorId, TensorProgram } from '../../ir/tensor/program.ts';
import { parseDecimal } from '../../ir/numbers/rational.ts';
import type { FixedType, Frame, Session, Uncalibrated } from '../context.ts';
import { extendAt, isGradientKey } from '../names/paths.ts';
import { newSession } from './session.ts';
import { needed, prune } from './prune.ts';
import { Abort, Halt, didYouMean } from '../report.ts';
import type { Reporter } from '../report.ts';
import { Scope } from '../names/scope.ts';
import { walkStatements } from './statements.ts';
import { trainingProgram } from '../optimizers/program.ts';
import type { Step } from '../optimizers/step.ts';
import { readTrain } from './train.ts';
import { tryDerivatives } from './trials.ts';

export interface ModelInput {
  readonly reporter: Reporter;
  readonly model: ast.Model;
  /** The scope of the model's file. */
  readonly scope: Scope;
  readonly overrides: Readonly<Record<string, string | number>>;
  readonly calibration: Readonly<Record<string, FixedType>>;
  /** Make a program also of what is not calibrated yet. */
  readonly provisional: boolean;
}

export interface ModelResult {
  /** Absent where something is wrong, or not calibrated yet and not to be provisional. */
  readonly program?: TensorProgram;
  /** Where the program is one step of training: what it reads and makes. */
  readonly step?: Step;
  readonly uncalibrated: readonly Uncalibrated[];
}

export function checkModel(input: ModelInput): ModelResult {
  const { reporter, model } = input;
  const { overrides, calibration } = input;
  const session = newSession(reporter, calibration, (frame, name, literal) =>
    frame.place === 'model' ? overridden(reporter, overrides, name, literal) : undefined,
  );
  const root: Frame = {
    scope: new Scope(input.scope),
    path: [],
    at: [],
    keys: [],
    place: 'model',
    declared: new Map(),
  };
  try {
    const frame = extendAt(session, root, root.scope, model.at);
    walkStatements(session, frame, model.body);
    checkOverrides(session, input, frame);
    const outputs = session.tensors.filter((t) => t.role === 'output').map((t) => t.id);
    const { used: trained = [], step } = model.train === undefined ? {} : readTrain(session, frame, model.train);
    tryDerivatives(session);
    if (reporter.failed) return { uncalibrated: session.uncalibrated };
    if (outputs.length === 0 && model.train === undefined) {
      // An output that is wrong by an import's fault has been told.
      if (model.body.some((statement) => statement.kind === 'output')) return { uncalibrated: session.uncalibrated };
      reporter.report({
        code: 'ZKL212',
        about: { name: model.name.text },
        span: model.name.span,
        label: 'there is nothing to prove',
        help: 'mark what is to be proved: `public y[t, o] = ...`',
      });
      return { uncalibrated: session.uncalibrated };
    }
    warnUnused(session, model, outputs, [...trained, ...(step?.outputs ?? []).map(({ tensor }) => tensor)]);
    const program =
      step === undefined ? finishProgram(session, model, outputs) : trainingProgram(session, model.name.text, step);
    const uncalibrated = askedFor(session, program, step !== undefined);
    if (uncalibrated.length > 0 && !input.provisional) return { uncalibrated };
    return { program, ...(step === undefined ? {} : { step }), uncalibrated };
  } catch (error) {
    if (!(error instanceof Abort || error instanceof Halt)) throw error;
    return { uncalibrated: session.uncalibrated };
  }
}

/** What the caller gives for a literal `dim` or `const`. */
function overridden(
  reporter: Reporter,
  overrides: Readonly<Record<string, string | number>>,
  name: ast.Name,
  literal: boolean,
): Rational | undefined {
  if (!Object.hasOwn(overrides, name.text)) return undefined;
  const given = String(overrides[name.text]);
  const value = parseDecimal(given);
  if (!literal)
    return reporter.fail({
      code: 'ZKL244',
      about: { name: name.text },
      span: name.span,
      label: 'it is derived from others',
      help: 'only a literal `dim` or `const` is a default that may be replaced',
    });

  if (value === undefined)
    return reporter.fail({
      code: 'ZKL217',
      about: { name: name.text, value: `"${given}"` },
      span: name.span,
      label: 'a number is expected',
    });
  return value;
}

function checkOverrides(session: Session, input: ModelInput, frame: Frame): void {
  for (const name of Object.keys(input.overrides)) {
    const own = frame.scope.own(name);
    if (own?.kind === 'dim' || own?.kind === 'const' || own?.kind === 'poison') continue;
    const names = [...frame.scope.entries()].filter(([, b]) => b.kind === 'dim' || b.kind === 'const').map(([n]) => n);
    const { help } = didYouMean(name, input.model.name.span, names);
    session.reporter.report({
      code: 'ZKL245',
      about: { model: input.model.name.text, name },
      span: input.model.name.span,
      label: 'a value for it was given',
      help: help ?? `it has ${names.map((n) => `\`${n}\``).join(', ')}`,
    });
  }
}

function warnUnused(
  session: Session,
  model: ast.Model,
  outputs: readonly TensorId[],
  trained: readonly TensorId[],
): void {
  const used = needed(session.equations, [...outputs, ...trained]);
  const live = new Set<number>();
  for (const [id, span] of session.named) if (used.has(id) && span.source === model.span.source) live.add(span.start);
  for (const [id, span] of session.named) {
    // One line of a block or repeat makes many tensors; it is unused if all of them are. Imported files speak for themselves.
    if (span.source !== model.span.source || live.has(span.start)) continue;
    const tensor = session.tensors[id];
    if (tensor.role === 'input')
      session.reporter.report({ code: 'ZKL603', span, label: 'part of the statement, read by no output' });
    else session.reporter.report({ code: 'ZKL602', span, label: 'dropped' });
  }
}

/**
 * What calibration would have to say: not of cotangents that no gradient needs, which derivatives name all the same, and of a step
 * of training not of a loss that is not published.
 */
function askedFor({ uncalibrated }: Session, { tensors }: TensorProgram, isStep: boolean): Uncalibrated[] {
  const kept = new Set(tensors.map(({ key }) => key));
  return uncalibrated.filter(({ key }) => (!isStep && !isGradientKey(key)) || kept.has(key));
}

function finishProgram(session: Session, model: ast.Model, outputs: readonly TensorId[]): TensorProgram {
  const keep = needed(session.equations, outputs);
  const statement = session.statement.filter((id) => !session.training.has(id));
  for (const id of statement) keep.add(id);
  const { tensors, equations, tables } = session;
  const used = new Set(tensors.filter((t) => keep.has(t.id)).map((t) => t.file?.source));
  const stateSources = [...session.stateSources].filter((name) => used.has(name)).sort();
  // Each secret output is a commitment of its own.
  const secret = outputs.map((id) => tensors[id]).filter((t) => t.visibility === 'secret');
  const leaving = secret.map(({ id, name }) => ({ name, tensors: [{ name, tensor: id }] }));
  return prune(
    {
      name: model.name.text,
      tensors,
      equations,
      tables,
      statement,
      ...(leaving.length > 0 && { outputs: leaving }),
      ...(stateSources.length > 0 && { stateSources }),
    },
    keep,
  );
}
