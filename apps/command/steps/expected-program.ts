/** `--program`: what a bundle has to be, since the texts that it carries may be those of another program. */
import { existsSync } from 'node:fs';
import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { compile } from '../../../compiler/index.ts';
import type { Arguments } from '../parse/arguments.ts';
import { besides, calibrationOf } from './calibration.ts';
import { CliError } from '../errors.ts';
import { hasErrors, overridesOf, readProgram, showDiagnostics } from './program.ts';
import type { Progress } from '../show/progress.ts';
import { isDigest } from './rests-on.ts';
import { hex } from '../show/text.ts';

export interface ExpectedProgram {
  /** 64 hexadecimal digits. */
  readonly digest: string;
  /** Compiled from a source now, or named by its digest. */
  readonly basis: 'checked now' | 'pinned';
  /** For messages: the file, or the option. */
  readonly from: string;
}

/** `--program FILE.zkl` is compiled, with `--calibration`, `--model` and `--dim`; a digest is taken as it is. @throws CliError */
export async function expectedProgram(args: Arguments, progress: Progress): Promise<ExpectedProgram | undefined> {
  const given = args.value('program');
  const compiles = given !== undefined && !isDigest(given);
  const useless = ['calibration', 'model', 'dim'].find((name) => args.flag(name) && !compiles);
  if (useless !== undefined)
    throw new CliError(
      `--${useless} says nothing without --program FILE.zkl, which it is for`,
      `leave --${useless} out`,
    );
  if (given === undefined) return undefined;
  if (isDigest(given)) return { digest: given.toLowerCase(), basis: 'pinned', from: '--program' };
  const program = await readProgram(given);
  const calibration = await calibrationOf(args, given);
  const { bundle, diagnostics } = await progress.phase('compile', () =>
    compile({ ...program, model: args.value('model'), overrides: overridesOf(args), calibration }),
  );
  if (bundle === undefined || hasErrors(diagnostics))
    throw new CliError(`could not verify: ${given} has errors`, `\n${showDiagnostics(diagnostics, program)}`, {
      coloured: true,
    });
  return { digest: hex(decodeBundle(bundle).digest), basis: 'checked now', from: sourcesOf(args, given) };
}

/** What it was compiled from: scales and dimensions count as much as the text. */
function sourcesOf(args: Arguments, program: string): string {
  const scales = args.value('calibration') ?? (existsSync(besides(program)) ? besides(program) : undefined);
  const dims = args.list('dim').map((dim) => ` --dim ${dim}`);
  const model = args.value('model') === undefined ? '' : ` --model ${args.value('model')}`;
  return `${program}${scales === undefined ? '' : ` with ${scales}`}${dims.join('')}${model}`;
}
