/** The file of scales that belongs to a program: given by an option, or beside it. */
import { existsSync } from 'node:fs';
import type { FixedType } from '../../../compiler/check/index.ts';
import { readCalibration, type Measured } from '../../../models/calibrate/file.ts';
import type { Arguments } from '../parse/arguments.ts';
import { readText } from '../../host/files/read.ts';

/** `model.zkl` has its scales in `model.calibration.json`. */
export const besides = (program: string): string => `${program.replace(/\.zkl$/, '')}.calibration.json`;

/** `--calibration FILE`, or what stands beside the program; nothing if nothing does. @throws CliError, FormatError */
export async function calibrationOf(args: Arguments, program: string): Promise<Record<string, FixedType>> {
  return (await scalesOf(args, program)).types;
}

/** The same, and what the program was measured at with these scales. */
export async function scalesOf(
  args: Arguments,
  program: string,
): Promise<{ readonly types: Record<string, FixedType>; readonly measured?: Measured | undefined }> {
  const given = args.value('calibration');
  const path = given ?? besides(program);
  if (given === undefined && !existsSync(path)) return { types: {} };
  const { weights, values, measured } = readCalibration(await readText(path, 'the calibration'), path);
  return { types: Object.fromEntries([...weights, ...values]), measured };
}
