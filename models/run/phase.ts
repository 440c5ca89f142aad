/** A stretch of a run: the program of its steps under one calibration. */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import { compile } from '../../compiler/index.ts';
import { UNNAMED } from '../../grammar/index.ts';
import { modelDigest } from '../../runtime/run/header.ts';
import { toHex } from '../../runtime/verifier/verdict.ts';
import { ProgramError, type ModelInput } from '../calibrate/model.ts';
import { trainingModel, type TrainingModel } from '../train/model.ts';

export interface PhaseProgram {
  readonly model: TrainingModel;
  readonly bytes: Uint8Array;
  readonly bundle: Bundle;
  /** Of the program, hex. */
  readonly digest: string;
  /** Of the texts and what was chosen of them (`modelDigest`), hex: the same for all phases. */
  readonly texts: string;
}

export type Scales = Readonly<Record<string, FixedType>>;

/** Compiles a model's step under a calibration. @throws ProgramError; ValueError where the model trains nothing */
export function phaseProgram(input: ModelInput, calibration: Scales): PhaseProgram {
  const model = trainingModel(input, { calibration });
  const { text, source, resolveImport, model: name, overrides } = input;
  const { bundle: bytes, diagnostics } = compile({
    text,
    source,
    calibration,
    ...(resolveImport === undefined ? {} : { resolveImport }),
    ...(name === undefined ? {} : { model: name }),
    ...(overrides === undefined ? {} : { overrides }),
  });
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (bytes === undefined || errors.length > 0)
    throw new ProgramError(source ?? UNNAMED, { kind: 'errors', diagnostics: errors });
  const bundle = decodeBundle(bytes);
  const texts = toHex(modelDigest(bundle.sources, { model: name, overrides }));
  return { model, bytes, bundle, digest: toHex(bundle.digest), texts };
}
