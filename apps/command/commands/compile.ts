import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { compile, type Compiled } from '../../../compiler/index.ts';
import { measuredNote } from '../../../models/calibrate/file.ts';
import { scalesOf } from '../steps/calibration.ts';
import type { Json, Outcome, Run } from '../parse/command.ts';
import { writeOutputs } from '../../host/files/write.ts';
import { checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import { diagnosticsJson, hasErrors, overridesOf, readProgram, showDiagnostics } from '../steps/program.ts';
import { printStage, stageOf, type Stage } from '../steps/stages.ts';
import { memoryText } from '../show/memory.ts';
import { proofMemory } from '../../../runtime/inspect/memory.ts';
import { planOf } from '../../../runtime/inspect/plan.ts';
import { bytes, duration, hex, plural } from '../show/text.ts';

export const run: Run = async (args, progress) => {
  const named = args.value('emit');
  const stage = named === undefined ? undefined : stageOf(named);
  const output = args.value('output') ?? STREAM;
  const program = await readProgram(args.positionals[0]);
  await checkOutput(output, stage === undefined ? kinds.bundle : kinds.stage, args.inputs);
  const { types: calibration, measured } = await scalesOf(args, program.source);
  const notes = measured === undefined ? [] : [measuredNote(measured)];
  const compiled = await progress.phase('compile', () =>
    compile({ ...program, model: args.value('model'), overrides: overridesOf(args), calibration, notes }),
  );
  const { bundle, diagnostics } = compiled;
  const shown = showDiagnostics(diagnostics, program);
  const json = { diagnostics: diagnosticsJson(diagnostics, program) };
  if (bundle === undefined || hasErrors(diagnostics)) return { exit: 1, text: shown, coloured: true, json };
  const outcome = await (stage === undefined
    ? write(bundle, output, json)
    : emit(stage, compiled, args.value('output'), json));
  if (shown !== '') progress.note(`\n${shown}`, true);
  return outcome;
};

type Members = Readonly<Record<string, Json>>;

async function write(bundle: Uint8Array, output: string, json: Members): Promise<Outcome> {
  await writeOutputs([{ path: output, bytes: bundle }]);
  const decoded = decodeBundle(bundle);
  const { gadgets, digest } = decoded;
  const memory = proofMemory(gadgets, bundle.length);
  const { prove } = (await planOf(decoded)).model;
  const text = `${output}: ${gadgets.name}, ${plural(gadgets.equations.length, 'equation')}, ${bytes(bundle.length)}, program ${hex(digest)}\n  a proof takes about ${duration(prove)} of one thread and ${memoryText(memory)}; zkl inspect says more`;
  return {
    exit: 0,
    text,
    wroteStdout: output === STREAM,
    json: { ...json, output, bytes: bundle.length, program: hex(digest), memory: { ...memory }, milliseconds: prove },
  };
}

/** Prints a stage; without an output it is what the command says. */
async function emit(stage: Stage, compiled: Compiled, output: string | undefined, json: Members): Promise<Outcome> {
  const text = printStage(stage, compiled);
  if (output === undefined) return { exit: 0, text: text.trimEnd(), json: { ...json, stage, text } };
  await writeOutputs([{ path: output, bytes: text }]);
  const size = new TextEncoder().encode(text).length;
  return {
    exit: 0,
    text: `${output}: ${stage} of ${compiled.gadgets?.name}, ${bytes(size)}`,
    wroteStdout: output === STREAM,
    json: { ...json, stage, output, bytes: size },
  };
}
