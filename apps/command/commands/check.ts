import { check } from '../../../compiler/check/index.ts';
import { parse } from '../../../grammar/index.ts';
import { calibrationOf } from '../steps/calibration.ts';
import type { Run } from '../parse/command.ts';
import { diagnosticsJson, hasErrors, overridesOf, readProgram, showDiagnostics } from '../steps/program.ts';
import { shownLines } from '../show/terminal.ts';
import { plural } from '../show/text.ts';

/** Names of scales in a message; `--json` has them all. */
const SHOWN = 6;

export const run: Run = async (args) => {
  const program = await readProgram(args.positionals[0]);
  const parsed = parse(program.text, program.source);
  const { resolveImport, source } = program;
  const checked = check({
    program: parsed.program,
    source,
    resolveImport,
    model: args.value('model'),
    overrides: overridesOf(args),
    calibration: await calibrationOf(args, source),
    incomplete: hasErrors(parsed.diagnostics),
  });
  const diagnostics = [...parsed.diagnostics, ...checked.diagnostics];
  const shown = showDiagnostics(diagnostics, program);
  const json = {
    diagnostics: diagnosticsJson(diagnostics, program),
    models: checked.programs.map(({ name, tensors, equations }) => ({
      name,
      tensors: tensors.length,
      equations: equations.length,
    })),
    uncalibrated: checked.uncalibrated.map(({ key }) => key),
  };
  if (hasErrors(diagnostics)) return { exit: 1, text: shown, coloured: true, json };
  const models = checked.programs.map(
    (p) => `${p.name}: ${plural(p.tensors.length, 'tensor')}, ${plural(p.equations.length, 'equation')}, no errors`,
  );
  const keys = checked.uncalibrated.map(({ key }) => key);
  const open = keys.length;
  const scales =
    open === 0
      ? []
      : [
          `${plural(open, 'scale is', 'scales are')} left to calibration (zkl calibrate): ${keys.slice(0, SHOWN).join(', ')}${open > SHOWN ? ', ...' : ''}`,
        ];
  const nothing = models.length === 0 && open === 0 ? [`${source}: no models, no errors`] : [];
  const lines = [...models, ...scales, ...nothing].map(shownLines);
  return { exit: 0, text: [shown, ...lines].filter((line) => line !== '').join('\n'), coloured: true, json };
};
