import { explain, type Explanation, type Shown } from '../../../compiler/explain.ts';
import { codes, generalTitle, type Code } from '../../../grammar/codes/index.ts';
import { renderDiagnostics } from '../../../grammar/render.ts';
import { CliError } from '../errors.ts';
import type { Json, Run } from '../parse/command.ts';
import { columns } from '../show/text.ts';
import { diagnosticsJson } from '../steps/program.ts';

const all = (Object.keys(codes) as Code[]).sort();

export const run: Run = (args) => {
  const given = args.positionals.at(0);
  if (given === undefined) {
    const list = all.map((code) => ({ code, title: generalTitle(code) }));
    return Promise.resolve({
      exit: 0,
      text: columns(list.map(({ code, title }) => [code, title])),
      json: { codes: list },
    });
  }
  const found = explain(codeOf(given));
  const { code, title, meaning, remedy } = found;
  return Promise.resolve({
    exit: 0,
    text: textOf(found),
    json: { code, title, meaning, remedy, example: shownJson(found.example), mended: shownJson(found.mended) },
  });
};

/** @throws CliError where there is no such code */
function codeOf(given: string): Code {
  const digits = /^(?:zkl)?(\d{3})$/i.exec(given)?.[1];
  const found = all.find((code) => code === `ZKL${digits ?? ''}`);
  if (found !== undefined) return found;
  const far = (code: Code): number => Math.abs(Number(code.slice(3)) - Number(digits));
  const near = digits === undefined ? [] : [...all].sort((a, b) => far(a) - far(b)).slice(0, 3);
  const remedy =
    near.length === 0 ? 'zkl explain lists them' : `the nearest are ${near.join(', ')}; zkl explain lists all`;
  throw new CliError(`there is no code "${given}"`, remedy);
}

const indented = (text: string): string => text.trimEnd().replace(/^(?=.)/gm, '  ');

function textOf({ code, title, meaning, remedy, example, mended }: Explanation): string {
  const { text, resolveImport } = example;
  const source = (name: string): string | undefined => (name === example.source ? text : resolveImport(name)?.text);
  return [
    `${code}: ${title}`,
    meaning,
    `For example${withGiven(example)}:`,
    indented(text),
    'zkl says:',
    indented(renderDiagnostics(example.diagnostics, source)),
    `${remedy} Mended${withGiven(mended)}:`,
    indented(mended.text),
  ].join('\n\n');
}

/** What a command would be given besides the program. */
function withGiven({ given: { model, overrides = {}, calibration = {} } }: Shown): string {
  const options = [
    ...(model === undefined ? [] : [`--model ${model}`]),
    ...Object.entries(overrides).map(([name, value]) => `--dim ${name}=${value}`),
  ];
  const scales = Object.entries(calibration).map(([key, { bits, frac }]) => `${key} fixed<${bits}, ${frac}>`);
  return [
    ...(options.length === 0 ? [] : [`, with ${options.join(' ')}`]),
    ...(scales.length === 0 ? [] : [`, with the calibration ${scales.join(', ')}`]),
  ].join('');
}

const shownJson = (program: Shown): Json => ({
  text: program.text,
  model: program.given.model,
  overrides: program.given.overrides,
  calibration: program.given.calibration,
  diagnostics: diagnosticsJson(program.diagnostics, program),
});
