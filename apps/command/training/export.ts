/** `zkl export`: the adapter of a run as a folder. */
import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { CodecError, ValueError } from '../../../compiler/ir/errors.ts';
import { readLoraConfig } from '../../../models/adapters/config.ts';
import { exportAdapter } from '../../../models/run/export.ts';
import { readText } from '../../host/files/read.ts';
import { withRunDirectory } from '../../host/files/store.ts';
import { inDirectory, writeOutputs } from '../../host/files/write.ts';
import { checkDirectory, realPath, STREAM } from '../../host/outputs.ts';
import { about, CliError } from '../errors.ts';
import type { Run } from '../parse/command.ts';
import { phaseTimes } from '../show/progress.ts';
import { plural } from '../show/text.ts';
import { withDevice } from '../steps/device.ts';

const NAMES = ['adapter_config.json', 'adapter_model.safetensors', 'opening.zko', 'commitment.zkc'] as const;
const MAX_STEPS = 1_000_000;

export const run: Run = async (args, progress) => {
  const [directory] = args.positionals;
  const output = args.required('output');
  if (output === STREAM) throw new CliError('export writes a folder, and stdout is none', 'name a directory: -o DIR');
  const step = args.integer('step', 0, MAX_STEPS);
  if (!existsSync(join(directory, 'run.json')))
    throw new CliError(`${directory} is no run: there is no run.json`, 'give the directory that `zkl train` wrote');
  checkApart(output, directory);
  await checkDirectory(output);
  const there = NAMES.map((name) => join(output, name)).find((path) => existsSync(path));
  if (there !== undefined && !args.flag('force'))
    throw new CliError(`${there} exists`, 'choose another directory, or replace it with --force');
  const file = args.value('config');
  const config = file === undefined ? undefined : await readText(file, 'the configuration');
  if (config !== undefined && file !== undefined) readLoraConfig(config, file);
  const made = await withRunDirectory(directory, (store) =>
    withDevice(args, progress, (device) =>
      about(directory, 'give the directory that `zkl train` wrote, whole', [CodecError], () =>
        exportAdapter(store, { step, config, device }, (name, body) => progress.phase(name, body)),
      ),
    ),
  ).catch((error: unknown) => {
    throw error instanceof ValueError ? new CliError(`${directory}: ${error.message}`, error.remedy) : error;
  });
  const [configFile, tensors, opening, commitment] = NAMES.map((name) => join(output, name));
  await inDirectory(output, () =>
    writeOutputs([
      { path: opening, bytes: made.opening, mode: 0o600 },
      { path: commitment, bytes: made.commitment },
      { path: tensors, bytes: made.tensors },
      { path: configFile, bytes: made.config },
    ]),
  );
  const text = [
    `${output}: the adapter after ${plural(made.step, 'step')}, as PEFT reads it`,
    `  ${commitment}, to publish; its digest is ${made.digest}`,
    `  ${opening}, to keep as secret as the weights`,
    `next: zkl verify MODEL.zkl ${directory} says that the commitment is to what was trained`,
  ].join('\n');
  const json = { output, step: made.step, digest: made.digest, milliseconds: phaseTimes(progress.times) };
  return { exit: 0, text, json };
};

/** A run that has other files is none that goes on. @throws CliError */
function checkApart(output: string, directory: string): void {
  const [into, run] = [resolve(realPath(output)), resolve(realPath(directory))];
  const isInside = into === run || into.startsWith(join(run, sep));
  if (isInside || existsSync(join(into, 'run.json')))
    throw new CliError(`${output} is ${isInside ? 'in the run itself' : 'a run'}`, 'name another directory: -o DIR');
}
