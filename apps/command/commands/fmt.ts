import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { format } from '../../../compiler/text.ts';
import type { Run } from '../parse/command.ts';
import { writeOutputs, type Output } from '../../host/files/write.ts';
import { CliError } from '../errors.ts';
import { isSystemError } from '../../host/errors.ts';
import { checkWritable, STREAM } from '../../host/outputs.ts';
import { diagnosticsJson, readProgram, showDiagnostics, type SourceProgram } from '../steps/program.ts';
import { shown as inOneLine } from '../show/terminal.ts';
import { filesBelow } from '../../host/walk.ts';

interface Result {
  readonly program: SourceProgram;
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

export const run: Run = async (args) => {
  const results: Result[] = [];
  for (const path of await programsOf(args.positionals)) {
    const program = await readProgram(path);
    results.push({ program, ...(await format(program.text, program.source)) });
  }
  const broken = results.filter((r) => r.text === undefined);
  const other = results.filter((r) => r.text !== undefined && r.text !== r.program.text);
  const names = other.map((r) => r.program.source);
  const json = {
    diagnostics: broken.flatMap((r) => diagnosticsJson(r.diagnostics, r.program)),
    [args.flag('check') ? 'unformatted' : 'formatted']: names,
  };
  const shown = broken.map((r) => showDiagnostics(r.diagnostics, r.program));
  const lines = (said: readonly string[]): string => [...said.map(inOneLine), ...shown].join('\n');
  if (!args.flag('check')) {
    const [piped] = results.filter((r) => r.program.source === STREAM);
    const files = other.filter((r) => r.program.source !== STREAM);
    const outputs = await Promise.all(files.map((r) => outputOf(r.program.source, r.text ?? '')));
    if (piped?.text !== undefined) outputs.unshift({ path: STREAM, bytes: piped.text });
    await writeOutputs(outputs);
    return {
      exit: broken.length > 0 ? 1 : 0,
      text: lines(files.map((r) => `formatted ${r.program.source}`)),
      coloured: true,
      wroteStdout: piped !== undefined,
      json,
    };
  }
  const told = names.map((n) => `${n} is not formatted: zkl fmt ${n}`);
  return { exit: broken.length + other.length > 0 ? 1 : 0, text: lines(told), coloured: true, json };
};

/**
 * The program's file keeps its mode. One with several names, or of another owner, is written over, as a new file in its place would be
 * another one; a read-only one is not changed at all.
 */
async function outputOf(path: string, text: string): Promise<Output> {
  const status = await stat(path);
  if (!status.isFile())
    throw new CliError(`cannot write ${path}: it is no regular file`, `write to stdout: zkl fmt - < ${path}`);
  checkWritable(path, status);
  const inPlace = status.nlink > 1 || status.uid !== (process.getuid?.() ?? status.uid);
  return { path, bytes: text, mode: status.mode & 0o777, inPlace };
}

/** The files that are given, and all programs below the directories that are given; each once, in the order given. */
async function programsOf(paths: readonly string[]): Promise<string[]> {
  const programs = new Map<string, string>();
  for (const path of paths) {
    const below = path !== STREAM && (await isDirectory(path)) ? filesBelow(path, '.zkl') : [path];
    if (below.length === 0) throw new CliError(`${path}: there is no .zkl file below it`, 'check the path');
    for (const program of below) if (!programs.has(resolve(program))) programs.set(resolve(program), program);
  }
  return [...programs.values()];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    // Reading it says what is wrong with it.
    if (isSystemError(error)) return false;
    throw error;
  }
}
