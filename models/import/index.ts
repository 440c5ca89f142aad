/** From an adapter or a model to a program's text: what `zkl import` does. */
import { kindOf, requireArray, requireObject } from '../../compiler/ir/arguments.ts';
import { ArgumentError } from '../../compiler/ir/errors.ts';
import { layOut } from '../../compiler/text.ts';
import type { Checkpoint } from '../files/checkpoint.ts';
import type { ModelAdapter } from './adapters.ts';
import { importModel } from './model.ts';
import type { TrainingChoice } from './training.ts';
import { importAdapter } from './adapter.ts';
import type { Refusals } from '../files/errors.ts';
import type { ModelConfig } from '../config/model.ts';
import type { AdapterDescription, LoadedAdapter } from '../adapters/peft.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';

export interface AdapterToImport {
  /** As `loadAdapter` of `zkl/formats` gives it. */
  readonly adapter: LoadedAdapter;
  /** Rows of activations a proof, at least 1. */
  readonly rows: number;
}

export interface ModelToImport {
  /** As `openCheckpoint` of `zkl/formats` gives it. */
  readonly model: Checkpoint;
  /** On the projections that they change. One may go without a name: it is called `adapter`. */
  readonly adapters?: readonly { readonly adapter: LoadedAdapter; readonly source?: string }[];
  /** Tokens a proof, at least 1; in training, of each sequence. */
  readonly tokens: number;
  /** For a program that proves a step of training: of the one adapter that is given, or without one of a new adapter. */
  readonly training?: TrainingChoice;
}

export interface ImportedAdapterProgram {
  readonly text: string;
  readonly description: AdapterDescription;
}

export interface ImportedModelProgram {
  readonly text: string;
  readonly config: ModelConfig;
  /** Projections that adapters change. */
  readonly adapted: readonly string[];
  /** Those that were given, or the new one that is to be trained. */
  readonly adapters: readonly ModelAdapter[];
}

/**
 * The program that proves what every module of an adapter adds, or what a model with its adapters says, or a step of an
 * adapter's training: text to read and to edit.
 * @throws FormatError for what cannot be imported, naming what stands against it; ArgumentError
 */
export async function importProgram(input: AdapterToImport): Promise<ImportedAdapterProgram>;
export async function importProgram(input: ModelToImport): Promise<ImportedModelProgram>;
export async function importProgram(
  input: AdapterToImport | ModelToImport,
): Promise<ImportedAdapterProgram | ImportedModelProgram> {
  requireObject('input', input, '{ adapter, rows } or { model, tokens }');
  return 'model' in input ? programOfModel(input) : programOfAdapter(input);
}

/** With `phase` around what reads weights. */
export async function programOfAdapter(
  { adapter, rows }: AdapterToImport,
  phase: RunPhase = runAtOnce,
): Promise<ImportedAdapterProgram> {
  requireAdapter('input.adapter', adapter);
  const { description, fileName } = adapter;
  const maxAbs = await phase('read weights', () => adapter.maxAbs());
  return { description, text: importAdapter({ description, fileName, maxAbs }, { rows }) };
}

async function programOfModel({
  model,
  adapters = [],
  tokens,
  training,
}: ModelToImport): Promise<ImportedModelProgram> {
  requireArray('input.adapters', adapters, '{ adapter, source }');
  const read = await Promise.all(
    adapters.map(async ({ adapter, source }, k) => {
      requireAdapter(`input.adapters[${k}].adapter`, adapter);
      if (source === undefined && adapters.length > 1)
        throw new ArgumentError(`input.adapters[${k}].source`, 'a name, as there are several adapters', 'undefined');
      return adapterOf(adapter, source ?? 'adapter');
    }),
  );
  return programOf(model, read, tokens, { training });
}

/** What a model's program needs to know of an adapter; reads its weights once. */
export async function adapterOf(adapter: LoadedAdapter, source: string): Promise<ModelAdapter> {
  const { description, fileName } = adapter;
  return { description, fileName, maxAbs: await adapter.maxAbs(), source };
}

interface ProgramOptions {
  /** The program's name in messages. */
  readonly source?: string;
  /** May hold some already: they are thrown with the others. */
  readonly refusals?: Refusals;
  readonly training?: TrainingChoice | undefined;
}

/** A model's program, laid out. */
export async function programOf(
  model: Checkpoint,
  adapters: readonly ModelAdapter[],
  tokens: number,
  { source, refusals, training }: ProgramOptions = {},
): Promise<ImportedModelProgram> {
  const imported = await importModel(model, adapters, tokens, refusals, training);
  return { ...imported, text: await layOut(imported.text, source) };
}

function requireAdapter(argument: string, value: unknown): void {
  if (typeof (value as Partial<LoadedAdapter> | undefined)?.maxAbs !== 'function')
    throw new ArgumentError(argument, 'what loadAdapter gives', kindOf(value));
}
