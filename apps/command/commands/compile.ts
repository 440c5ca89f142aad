import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { compile } from '../../../compiler/index.ts';
import { calibrationOf } from '../calibration.ts';
import type { Run } from '../command.ts';
import { writeOutputs } from '../files.ts';
import { checkOutput, kinds, STREAM } from '../outputs.ts';
import { diagnosticsJson, hasErrors, overridesOf, readProgram, showDiagnostics } from '../program.ts';
import { bytes, hex, plural } from '../text.ts';

export const run: Run = async (args, progress) => {
  const program = await readProgram(args.positionals[0]);
  const output = args.required('output');
  await checkOutput(output, kinds.bundle, args.inputs);
  const calibration = await calibrationOf(args, program.source);
  const compiled = await progress.phase('compile', () =>
    compile({ ...program, model: args.value('model'), overrides: overridesOf(args), calibration }),
  );
  const { bundle, diagnostics } = compiled;
  const shown = showDiagnostics(diagnostics, program);
  const json = { diagnostics: diagnosticsJson(diagnostics, program) };
  if (bundle === undefined || hasErrors(diagnostics)) return { exit: 1, text: shown, coloured: true, json };
  await writeOutputs([{ path: output, bytes: bundle }]);
  if (shown !== '') progress.note(`\n${shown}`, true);
  const { gadgets, digest } = decodeBundle(bundle);
  const text = `${output}: ${gadgets.name}, ${plural(gadgets.equations.length, 'equation')}, ${bytes(bundle.length)}, program ${hex(digest)}`;
  return {
    exit: 0,
    text,
    wroteStdout: output === STREAM,
    json: { ...json, output, bytes: bundle.length, program: hex(digest) },
  };
};
