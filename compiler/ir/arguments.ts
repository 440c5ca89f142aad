/** Checks at the door of the library, for callers that no type checker looked at. What is in an argument is never shown. */
import { ArgumentError } from './errors.ts';

/** The kind of a value, for a message. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (isBuffer(value)) return 'a Buffer';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Array') return `an array of ${(value as unknown[]).length}`;
  return `${/^(?:[AEIO]|U(?!int))/i.test(tag) ? 'an' : 'a'} ${tag === 'Object' ? 'object' : tag}`;
}

const isBuffer = (value: object): boolean =>
  'Buffer' in globalThis && typeof Buffer === 'function' && Buffer.isBuffer(value);

/** By its tag: values of another realm are no instances of this one's classes. */
const hasTag = (value: unknown, tag: string): boolean => Object.prototype.toString.call(value) === `[object ${tag}]`;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const forgottenAwait = (value: unknown): string | undefined =>
  hasTag(value, 'Promise') ? 'it has to be awaited' : undefined;

function refuse(argument: string, expected: string, value: unknown, remedy?: string): never {
  throw new ArgumentError(argument, expected, kindOf(value), forgottenAwait(value) ?? remedy);
}

export function requireBytes(argument: string, value: unknown, length?: number): asserts value is Uint8Array {
  const expected = length === undefined ? 'a Uint8Array' : `a Uint8Array of ${length} bytes`;
  if (!hasTag(value, 'Uint8Array')) {
    const remedies: Readonly<Record<string, string>> = {
      string: 'a path has to be read first, a text to be encoded: new TextEncoder().encode(text)',
      ArrayBuffer: 'write new Uint8Array(buffer)',
    };
    const tag = typeof value === 'string' ? 'string' : Object.prototype.toString.call(value).slice(8, -1);
    refuse(argument, expected, value, remedies[tag]);
  }
  const { length: found } = value as Uint8Array;
  if (length !== undefined && found !== length) throw new ArgumentError(argument, expected, `${found} bytes`);
}

export function requireText(argument: string, value: unknown): asserts value is string {
  if (typeof value === 'string') return;
  const remedy = hasTag(value, 'Uint8Array') ? 'decode it: new TextDecoder().decode(bytes)' : undefined;
  refuse(argument, 'a string', value, remedy);
}

export function requireFunction(argument: string, value: unknown): void {
  if (typeof value !== 'function') refuse(argument, 'a function', value);
}

/** @param of what its entries are, for messages */
export function requireArray(argument: string, value: unknown, of: string): void {
  if (!Array.isArray(value)) refuse(argument, `an array of ${of}`, value);
}

/** A record of options. */
export function requireObject(argument: string, value: unknown, expected: string): asserts value is object {
  if (!isObject(value) || Array.isArray(value) || ArrayBuffer.isView(value)) refuse(argument, expected, value);
}

/** Runs `check` unless the value was left out. */
export const optional = <T>(
  argument: string,
  value: T | undefined,
  check: (argument: string, value: unknown) => void,
): void => {
  if (value !== undefined) check(argument, value);
};

/** @param of what its entries are, for messages */
export function requireMap(
  argument: string,
  value: unknown,
  of: string,
): asserts value is ReadonlyMap<unknown, unknown> {
  const { get, keys } = (isObject(value) ? value : {}) as { readonly get?: unknown; readonly keys?: unknown };
  if (hasTag(value, 'Map') || (typeof get === 'function' && typeof keys === 'function')) return;
  const remedy = hasTag(value, 'Object') ? 'write new Map(Object.entries(object))' : undefined;
  refuse(argument, `a Map from ${of}`, value, remedy);
}

/** A record that is no Map, such as `overrides`. @param of what its entries are, for messages */
export function requireRecord(argument: string, value: unknown, of: string): asserts value is Record<string, unknown> {
  if (hasTag(value, 'Object')) return;
  const remedy = hasTag(value, 'Map') ? 'write Object.fromEntries(map)' : undefined;
  refuse(argument, `an object with ${of}`, value, remedy);
}

const NUMBERS_ARE = 'numbers, row-major, in a typed array or an array';

/** What can be read as an `ArrayLike<number>` and means it. */
export function requireNumbers(argument: string, value: unknown): asserts value is ArrayLike<number> {
  if (!isObject(value)) refuse(argument, NUMBERS_ARE, value);
  if (isBuffer(value))
    refuse(
      argument,
      NUMBERS_ARE,
      value,
      'bytes are no numbers: read them as what they are, a Float32Array for instance',
    );
  if (ArrayBuffer.isView(value)) {
    if (/\[object (?:Big|DataView)/.test(Object.prototype.toString.call(value))) refuse(argument, NUMBERS_ARE, value);
    return;
  }
  const { length } = value as { readonly length?: unknown };
  if (typeof length !== 'number') {
    const remedy = 'values' in value ? 'give its values alone' : undefined;
    refuse(argument, NUMBERS_ARE, value, remedy);
  }
  const entries = value as ArrayLike<unknown>;
  for (let i = 0; i < length; i++) {
    if (typeof entries[i] === 'number') continue;
    const nested = Array.isArray(entries[i]) || ArrayBuffer.isView(entries[i]);
    const remedy = nested ? 'nested arrays have to be flattened: values.flat(Infinity)' : undefined;
    refuse(`${argument}[${i}]`, 'a number', entries[i], remedy);
  }
}

const isReader = (value: unknown): boolean =>
  isObject(value) && ['names', 'shape', 'read'].every((method) => typeof Reflect.get(value, method) === 'function');

/** A reader of tensors, or a Map of them. @param names of the tensors that are read */
export function requireWeights(argument: string, value: unknown, names: readonly string[]): void {
  if (isReader(value)) return;
  requireMap(argument, value, 'checkpoint names to { shape, values }');
  for (const name of names) {
    const tensor = value.get(name);
    // Which tensors are missing is told by who knows the program.
    if (tensor === undefined && !value.has(name)) continue;
    const at = `${argument}[${JSON.stringify(name)}]`;
    requireObject(at, tensor, '{ shape, values }');
    const { shape, values } = tensor as { readonly shape?: unknown; readonly values?: unknown };
    if (!Array.isArray(shape) || !shape.every((d) => Number.isInteger(d)))
      refuse(`${at}.shape`, 'an array of lengths', shape);
    requireNumbers(`${at}.values`, values);
  }
}

export function requireInputs(argument: string, value: unknown): void {
  requireMap(argument, value, 'names of inputs to numbers');
  for (const [name, values] of value) {
    requireText(`a name in ${argument}`, name);
    requireNumbers(`${argument}[${JSON.stringify(name)}]`, values);
  }
}

/** Something that has the operation `method` of a device. */
export function requireDevice(argument: string, value: unknown, method: string): void {
  const expected = 'a device, as createWasmDevice gives it';
  if (!isObject(value)) refuse(argument, expected, value);
  if (typeof (value as Record<string, unknown>)[method] !== 'function') refuse(argument, expected, value);
}

/** A tensor program, and a map of inputs by the number of their tensor. */
export function requireRun(program: unknown, inputs: unknown): void {
  const { tensors, equations } = (isObject(program) ? program : {}) as Record<string, unknown>;
  if (!Array.isArray(tensors) || !Array.isArray(equations)) {
    const remedy = isObject(program) && 'tensors' in program ? 'give its `tensors`' : undefined;
    refuse('program', 'the tensor program that compile or check gives', program, remedy);
  }
  requireMap('inputs', inputs, "a tensor's number to its entries");
}

/** Row-major integers, as bigints. */
export function requireBigints(argument: string, value: unknown): void {
  if (!Array.isArray(value) || !value.every((v) => typeof v === 'bigint'))
    refuse(argument, 'an array of bigints', value);
}

/** The lone tree of `parse`. */
export function requireProgram(argument: string, value: unknown): void {
  const { items } = (isObject(value) ? value : {}) as { readonly items?: unknown };
  if (Array.isArray(items)) return;
  const remedy = isObject(value) && 'program' in value ? 'give its `program`' : undefined;
  refuse(argument, 'the program that parse gives', value, remedy);
}
