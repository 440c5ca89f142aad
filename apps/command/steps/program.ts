/** Reading `.zkl` programs and what they import, and showing what is wrong with them. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import pc from 'picocolors';
import type { Diagnostic } from '../../../grammar/diagnostic.ts';
import { position } from '../../../grammar/span.ts';
import { renderDiagnostics, type Palette } from '../../../grammar/render.ts';
import type { ResolveImport } from '../../../compiler/check/index.ts';
import { resolveStandard, standardFile } from '../../../compiler/standard/index.ts';
import type { Arguments } from '../parse/arguments.ts';
import type { Json } from '../parse/command.ts';
import { CliError } from '../errors.ts';
import { readText, textOf } from '../../host/files/read.ts';
import { plural } from '../show/text.ts';

export interface SourceProgram {
  readonly text: string;
  /** The path as given. */
  readonly source: string;
  readonly resolveImport: ResolveImport;
}

export const readProgram = async (path: string): Promise<SourceProgram> => ({
  text: await readText(path, 'the program'),
  source: path,
  resolveImport: importsOf(path),
});

/** `std` and `std/NAME` are the standard library; other names are files beside the program, with or without `.zkl`. */
function importsOf(program: string): ResolveImport {
  return (name) => {
    if (standardFile(name) !== undefined) return resolveStandard(name);
    const candidates = [name, `${name}.zkl`].map((file) => resolve(dirname(program), file));
    const path = candidates.find((file) => file.endsWith('.zkl') && isFile(file));
    return path === undefined
      ? undefined
      : { source: name, text: textOf(readFileSync(path), path, 'the imported program') };
  };
}

/** A pipe of that name would be waited for. */
const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** `--dim NAME=VALUE`, as the checker takes them. */
export function overridesOf(args: Arguments): Record<string, string> {
  return Object.fromEntries(
    args.pairs('dim').map(({ key, value }) => {
      if (key === undefined || key === '' || value === '')
        throw new CliError(`--dim "${key ?? value}" is no NAME=VALUE`, 'write for example --dim T=15');
      return [key, value];
    }),
  );
}

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some((d) => d.severity === 'error');

/** The diagnostics with the lines they are about, and how many there are. */
export function showDiagnostics(diagnostics: readonly Diagnostic[], program: SourceProgram): string {
  if (diagnostics.length === 0) return '';
  const textOf = (source: string): string | undefined =>
    source === program.source ? program.text : program.resolveImport(source)?.text;
  const errors = diagnostics.filter((d) => d.severity === 'error').length;
  const counts = [plural(errors, 'error'), plural(diagnostics.length - errors, 'warning')];
  const [{ code }] = diagnostics;
  return `${renderDiagnostics(diagnostics, textOf, palette())}\n${counts.join(', ')}; zkl explain ${code} says more`;
}

/** Diagnostics of programs without a bundle go to stderr. */
const palette = (): Palette => {
  const { red, yellow, cyan, green, dim, bold } = pc.createColors(pc.isColorSupported && process.stderr.isTTY);
  return { error: red, warning: yellow, note: cyan, help: green, gutter: dim, strong: bold };
};

/** With lines and columns from 1, for editors and scripts. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[], program: SourceProgram): Json {
  const texts = new Map([[program.source, program.text]]);
  const place = ({ source, start }: Diagnostic['span']): { source: string; line: number; column: number } => {
    const text = texts.get(source) ?? program.resolveImport(source)?.text ?? '';
    texts.set(source, text);
    return { source, ...position(text, start) };
  };
  return diagnostics.map(({ code, severity, title, label, help, span }) => ({
    code,
    severity,
    title,
    label,
    help,
    ...place(span),
  }));
}
