/** The standard library for tests, read from `stdlib/`. */
import { readFileSync } from 'node:fs';
import type { CheckInput, CheckResult, FixedType } from '../../compiler/check/index.ts';
import { check } from '../../compiler/check/index.ts';
import type { Diagnostic } from '../../grammar/index.ts';
import { parse } from '../../grammar/index.ts';
import { standardFile } from '../../compiler/standard/index.ts';

/** Files that tests import besides `std`. */
const OTHERS: Record<string, string> = {
  cycle: 'import { b } from "back"\nblock a(x[N]) -> y[N] {\n  y = b(x)\n}\n',
  back: 'import { a } from "cycle"\nblock b(x[N]) -> y[N] {\n  y = a(x)\n}\n',
};

export function resolveImport(name: string): { source: string; text: string } | undefined {
  if (Object.hasOwn(OTHERS, name)) return { source: `${name}.zkl`, text: OTHERS[name] };
  const file = standardFile(name);
  if (file === undefined) return undefined;
  return { source: `stdlib/${file}`, text: readFileSync(new URL(`../../stdlib/${file}`, import.meta.url), 'utf8') };
}

/** The text of any source that a span may name. */
export function textOf(source: string, main: string): string | undefined {
  if (source === 'case.zkl') return main;
  const name = source.replace(/\.zkl$/, '');
  return (
    resolveImport(name)?.text ?? resolveImport(name.replace('stdlib/', 'std/'))?.text ?? resolveImport('std')?.text
  );
}

export interface Checked extends CheckResult {
  readonly all: readonly Diagnostic[];
}

/** Parses and checks a text; `all` has the diagnostics of both. */
export function checkText(text: string, options: Partial<CheckInput> = {}): Checked {
  const parsed = parse(text, 'case.zkl');
  const incomplete = parsed.diagnostics.some((d) => d.severity === 'error');
  const checked = check({ program: parsed.program, source: 'case.zkl', resolveImport, incomplete, ...options });
  return { ...checked, all: [...parsed.diagnostics, ...checked.diagnostics] };
}

/** Gives everything that has no scale the same one, but 16 bits to arguments of tables. */
export function calibrateAll(text: string, type: FixedType, options: Partial<CheckInput> = {}): Checked {
  const of = (key: string): FixedType =>
    key.endsWith('/argument') ? { ...type, bits: Math.min(type.bits, 16) } : type;
  const { uncalibrated } = checkText(text, { ...options, forProof: false });
  const calibration = Object.fromEntries(uncalibrated.map(({ key }) => [key, of(key)]));
  return checkText(text, { ...options, calibration });
}
