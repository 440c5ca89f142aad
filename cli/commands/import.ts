import { statSync } from 'node:fs';
import { importAdapter } from '../../runtime/formats/import.ts';
import type { Run } from '../command.ts';
import { CliError } from '../errors.ts';
import { checkOutput, readText, writeOutputs } from '../files.ts';
import { columns, plural, shape } from '../text.ts';
import { withAdapter } from '../weights.ts';

export const run: Run = async (args, progress) => {
  const directory = args.positionals[0];
  const rows = args.integer('rows', 1, 1_000_000) ?? 1;
  const output = args.required('output');
  await checkOutput(output);

  const { description, text } = await withAdapter(directory, async (adapter) => {
    const { description, fileName } = adapter;
    const maxAbs = await progress.phase('read weights', () => adapter.maxAbs());
    return { description, text: importAdapter({ description, fileName, maxAbs }, { rows }) };
  });
  // Only a file can hold edits: reading a device or a pipe may never end.
  const isFile = statSync(output, { throwIfNoEntry: false })?.isFile() ?? false;
  if (isFile && !args.flag('force') && (await readText(output, 'the program')) !== text)
    throw new CliError(
      `${output} exists and may hold edits of yours`,
      'choose another name, or replace it with --force',
    );
  await writeOutputs([{ path: output, bytes: text }]);

  const { modules, leftOut } = description;
  const left = leftOut.map((t) => [`  ${t.name}`, shape(t.shape), t.reason]);
  const summary = [
    `${output}: ${plural(modules.length, 'module')} of ${directory}, ${plural(rows, 'row')} of activations each`,
    ...(left.length > 0 ? [`left out ${plural(left.length, 'tensor')}:`, columns(left)] : []),
    `next: zkl check ${output}`,
  ].join('\n');
  const json = {
    output,
    rows,
    modules: modules.map(({ path, rank, inputs, outputs }) => ({ path, rank, inputs, outputs })),
    leftOut,
  };
  return { exit: 0, text: summary, json };
};
