/** What the compiler's functions are called with: texts may be anything, arguments may not. */
import {
  optional,
  requireFunction,
  requireObject,
  requireProgram,
  requireRecord,
  requireText,
} from './ir/arguments.ts';
import { ArgumentError } from './ir/errors.ts';
import type { CheckInput } from './check/index.ts';

type Options = Partial<Pick<CheckInput, 'source' | 'resolveImport' | 'model' | 'overrides' | 'calibration'>>;

/** @throws ArgumentError */
export function checkCompilerOptions(input: Options): void {
  optional('input.source', input.source, requireText);
  optional('input.resolveImport', input.resolveImport, requireFunction);
  optional('input.model', input.model, requireText);
  optional('input.overrides', input.overrides, (at, value) => requireRecord(at, value, 'names and numbers'));
  if (input.calibration === undefined) return;
  requireRecord('input.calibration', input.calibration, 'keys and { kind, bits, frac }');
  for (const [key, type] of Object.entries(input.calibration as Record<string, unknown>)) {
    const { bits, frac } = (type ?? {}) as { readonly bits?: unknown; readonly frac?: unknown };
    // Numbers that are none of a type are the checker's to refuse.
    if (typeof bits !== 'number' || typeof frac !== 'number')
      throw new ArgumentError(
        `input.calibration[${JSON.stringify(key)}]`,
        '{ kind: "fixed", bits, frac }',
        typeof type,
      );
  }
}

export function checkCompile(input: unknown): void {
  requireObject('input', input, '{ text, ... }');
  requireText('input.text', (input as { readonly text?: unknown }).text);
  checkCompilerOptions(input);
}

export function checkCheck(input: unknown): void {
  requireObject('input', input, '{ program, ... }');
  requireProgram('input.program', (input as { readonly program?: unknown }).program);
  checkCompilerOptions(input);
}
