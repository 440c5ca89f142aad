import { statSync } from 'node:fs';
import { adapterOf, programOf, programOfAdapter } from '../../../models/import/index.ts';
import type { Arguments } from '../parse/arguments.ts';
import type { Outcome, Run } from '../parse/command.ts';
import { CliError } from '../errors.ts';
import { readText } from '../../host/files/read.ts';
import { writeOutputs } from '../../host/files/write.ts';
import { Refusals } from '../../../models/files/errors.ts';
import { checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import type { Progress } from '../show/progress.ts';
import { sourceNames } from '../steps/source-names.ts';
import { TRAINING_OPTIONS, trainingOf } from '../training/options.ts';
import { columns, plural, shape } from '../show/text.ts';
import { isModel, withAdapter, withModel } from '../../host/weights.ts';

export const run: Run = async (args, progress) => {
  // Numbers first: what they are wrong about needs no file.
  const [rows, tokens] = ['rows', 'tokens'].map((name) => args.integer(name, 1, 1_000_000));
  return (await isModel(args.positionals[0]))
    ? importFromModel(args, progress, tokens)
    : importFromAdapter(args, progress, rows);
};

type RunWith = (args: Arguments, progress: Progress, length: number | undefined) => Promise<Outcome>;

const importFromAdapter: RunWith = async (args, progress, rows) => {
  const directory = args.positionals[0];
  refuse(args, ['tokens', 'adapter', 'train', ...TRAINING_OPTIONS], `${directory} is the directory of an adapter`);
  if (rows === undefined)
    throw new CliError(
      '--rows N is missing: rows of activations per proof',
      `for example: zkl import ${directory} --rows 15 -o adapter.zkl`,
    );
  const output = args.required('output');
  await checkOutput(output, kinds.program, args.inputs);

  const { description, text } = await withAdapter(directory, (adapter) =>
    programOfAdapter({ adapter, rows }, (name, body) => progress.phase(name, body)),
  );
  await writeProgram(args, text);

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
  return { exit: 0, text: summary, json, wroteStdout: output === STREAM };
};

/** Never replaces edits unless told to. */
async function writeProgram(args: Arguments, text: string): Promise<void> {
  const output = args.required('output');
  // Only a file can hold edits: reading a device or a pipe may never end.
  const isFile = output !== STREAM && (statSync(output, { throwIfNoEntry: false })?.isFile() ?? false);
  if (isFile && !args.flag('force') && (await readText(output, 'the program')) !== text)
    throw new CliError(
      `${output} exists and may hold edits of yours`,
      'choose another name, or replace it with --force',
    );
  await writeOutputs([{ path: output, bytes: text }]);
}

function refuse(args: Arguments, options: readonly string[], why: string): void {
  const given = options.find((name) => args.flag(name));
  if (given !== undefined) throw new CliError(`--${given} has no meaning here: ${why}`, `leave --${given} out`);
}

const importFromModel: RunWith = async (args, progress, tokens) => {
  const directory = args.positionals[0];
  refuse(args, ['rows'], `${directory} is the directory of a model, which takes --tokens`);
  const training = trainingOf(args);
  if (tokens === undefined)
    throw new CliError(
      '--tokens N is missing: how many tokens a proof is about',
      `for example: zkl import ${directory} --tokens 64 -o model.zkl`,
    );
  const output = args.required('output');
  await checkOutput(output, kinds.program, args.inputs);
  const paths = args.list('adapter');
  const sources = sourceNames(paths);
  const refusals = new Refusals();
  const read = await progress.phase('read adapters', () =>
    Promise.all(
      paths.map((path, k) =>
        refusals.attemptLater(() => withAdapter(path, (adapter) => adapterOf(adapter, sources[k]))),
      ),
    ),
  );
  const adapters = read.filter((adapter) => adapter !== undefined);
  const imported = await progress.phase('read model', () =>
    refusals.attemptLater(() =>
      withModel(directory, (model) => programOf(model, adapters, tokens, { source: output, refusals, training })),
    ),
  );
  refusals.throwAny(directory, 'it cannot be imported');
  if (!imported) throw new Error('internal error: nothing was refused, and nothing imported');
  const { text, config, adapted } = imported;
  const isNew = adapters.length === 0 && training !== undefined;
  await writeProgram(args, text);

  const weights = [`--weights base=${directory}`, ...paths.map((path, k) => `--weights ${sources[k]}=${path}`)].join(
    ' ',
  );
  const summary = [
    `${output}: ${config.architecture} of ${plural(config.layers, 'layer')}, ${plural(tokens, 'token')}` +
      (imported.adapters.length === 0
        ? ''
        : `, ${isNew ? 'a new adapter' : plural(adapters.length, 'adapter')} on ${plural(adapted.length, 'projection')}`),
    training === undefined
      ? `next: zkl calibrate ${output} ${weights} --samples FILE`
      : `next: zkl calibrate ${output} ${weights} --data FILE, of \`tokens\` and \`mask\` in rows of ${tokens + 1}`,
  ].join('\n');
  const json = {
    output,
    tokens,
    architecture: config.architecture,
    layers: config.layers,
    ...(training === undefined ? {} : { trained: adapted }),
    adapters: paths.map((path, k) => ({
      path,
      source: sources[k],
      projections: adapters[k].description.modules.length,
    })),
  };
  return { exit: 0, text: summary, json, wroteStdout: output === STREAM };
};
