/** What the functions of `zkl/formats` are called with, checked where it is first used. */
import { kindOf, requireText } from '../../compiler/ir/arguments.ts';
import { ArgumentError } from '../../compiler/ir/errors.ts';

const part = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

export function requireSource(argument: string, value: unknown): void {
  if (typeof part(value, 'read') === 'function' && typeof part(value, 'size') === 'number') return;
  const remedy = 'bytes in memory are one as bytesSource(name, bytes)';
  throw new ArgumentError(argument, 'a ByteSource { name, size, read }', kindOf(value), remedy);
}

export function requireFolder(argument: string, value: unknown): void {
  if (typeof part(value, 'open') === 'function' && typeof part(value, 'name') === 'string') return;
  throw new ArgumentError(argument, 'a Folder { name, open }', kindOf(value));
}

/** A checkpoint or an adapter that was opened; `method` tells which. */
export function requireOpened(argument: string, value: unknown, method: string, opener: string): void {
  if (typeof part(value, method) === 'function') return;
  throw new ArgumentError(argument, `what ${opener} gives`, kindOf(value), 'it has to be opened first');
}

export function requireCount(argument: string, value: unknown, what: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw new ArgumentError(argument, `${what}, a whole number from 1`, kindOf(value));
}

/** Inputs that are looked for. */
export function requireWanted(argument: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ArgumentError(argument, 'an array of { name, shape, type }', kindOf(value));
  for (const [i, wanted] of (value as unknown[]).entries()) {
    requireText(`${argument}[${i}].name`, part(wanted, 'name'));
    const shape = part(wanted, 'shape');
    if (!Array.isArray(shape)) throw new ArgumentError(`${argument}[${i}].shape`, 'an array of lengths', kindOf(shape));
    if (typeof part(wanted, 'type') !== 'object')
      throw new ArgumentError(`${argument}[${i}].type`, 'a type', kindOf(part(wanted, 'type')));
  }
}
