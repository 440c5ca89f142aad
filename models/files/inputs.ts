/** Public inputs of a proof: from safetensors, from JSON, or drawn from a seed. */
import { sha256 } from '@noble/hashes/sha2.js';
import { requireText } from '../../compiler/ir/arguments.ts';
import type { TensorType } from '../../compiler/ir/tensor/program.ts';
import { requireWanted } from './arguments.ts';
import { entryName, FormatError, formatShape, quote, quoteSome } from './errors.ts';
import { isObject, parseJson } from './json.ts';
import { readSafetensors } from './safetensors.ts';
import type { ByteSource } from './source.ts';

/** An input that a program declares. */
export interface WantedInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
}

/** By name, row-major: what `prove` takes. */
export type Inputs = ReadonlyMap<string, Float64Array>;

/**
 * The inputs out of a safetensors file that has them and nothing else.
 * @throws FormatError for a missing or further tensor, another shape, NaN and infinities
 */
export async function inputsFromSafetensors(source: ByteSource, wanted: readonly WantedInput[]): Promise<Inputs> {
  requireWanted('wanted', wanted);
  const file = await readSafetensors(source);
  checkNames(source.name, new Set(file.tensors.keys()), wanted);
  const out = new Map<string, Float64Array>();
  for (const { name, shape } of wanted) {
    checkShape(source.name, name, file.tensors.get(name)!.shape, shape);
    const values = await file.readFloats(name);
    const bad = values.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) throw notFinite(source.name, name, shape, bad, String(values[bad]));
    out.set(name, values);
  }
  return out;
}

/**
 * The inputs out of JSON: `{ "x": [[0.5, 1], [2, 3]] }`, or flat, `{ "x": { "shape": [2, 2], "data": [0.5, 1, 2, 3] } }`.
 * @throws FormatError for a missing or further tensor, another shape, and entries that are no finite numbers
 */
export function inputsFromJson(text: string, file: string, wanted: readonly WantedInput[]): Inputs {
  requireWanted('wanted', wanted);
  const remedy = 'write { "x": nested arrays of numbers }; JSON has no NaN and no Infinity';
  const value = parseJson(file, 'the file', text, remedy);
  if (!isObject(value)) throw new FormatError(file, 'it is no JSON object', remedy);
  checkNames(file, new Set(Object.keys(value)), wanted);
  return new Map(
    wanted.map(({ name, shape }) => {
      const given = value[name];
      return [name, isObject(given) ? flat(file, name, given, shape) : nested(file, name, given, shape)] as const;
    }),
  );
}

/**
 * Inputs that the seed determines, for trials and measurements. The entries of tensor NAME come from the blocks
 * SHA-256("zkl-random-inputs-v1\0" || SEED || "\0" || NAME || "\0" || u64-LE counter from 0), each read as eight words of
 * 32 bits, little-endian, one word w an entry. `fixed<b, f>`: with k = min(b - 2, 32), at least 1, the integer
 * (floor(w / 2^(32-k)) - 2^(k-1)) · 2^(b-2-k), times 2^-f: uniform over the middle quarter of the type. `index<N>`: floor(w · N / 2^32).
 */
export function randomInputs(seed: string, wanted: readonly WantedInput[]): Inputs {
  requireText('seed', seed);
  requireWanted('wanted', wanted);
  return new Map(
    wanted.map(({ name, shape, type }) => {
      const values = randomWords(`zkl-random-inputs-v1\0${seed}\0${name}\0`, entriesOf(shape), toEntry(type));
      return [name, values] as const;
    }),
  );
}

function toEntry(type: TensorType): (word: number) => number {
  if (type.kind === 'index') return (word) => Number((BigInt(word) * BigInt(type.size)) >> 32n);
  const k = Math.max(1, Math.min(type.bits - 2, 32));
  const [drop, half, unit] = [2 ** (32 - k), 2 ** (k - 1), 2 ** (Math.max(0, type.bits - 2 - k) - type.frac)];
  return (word) => (Math.floor(word / drop) - half) * unit;
}

function randomWords(prefix: string, entries: number, toEntry: (word: number) => number): Float64Array {
  const head = new TextEncoder().encode(prefix);
  const message = new Uint8Array(head.length + 8);
  message.set(head);
  const counter = new DataView(message.buffer, head.length);
  const out = new Float64Array(entries);
  for (let i = 0; i < entries; i += 8) {
    counter.setBigUint64(0, BigInt(i / 8), true);
    const block = sha256(message);
    const words = new DataView(block.buffer, block.byteOffset);
    for (let k = 0; k < 8 && i + k < entries; k++) out[i + k] = toEntry(words.getUint32(4 * k, true));
  }
  return out;
}

const entriesOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

function checkNames(file: string, names: ReadonlySet<string>, wanted: readonly WantedInput[]): void {
  const missing = wanted.find((w) => !names.has(w.name));
  if (missing)
    throw new FormatError(
      file,
      `the input ${quote(missing.name)} of shape ${formatShape(missing.shape)} is missing`,
      `the file has ${quoteSome(names)}`,
    );
  const further = [...names].find((name) => !wanted.some((w) => w.name === name));
  if (further !== undefined)
    throw new FormatError(
      file,
      `the program has no public input ${quote(further)}`,
      `it takes ${quoteSome(wanted.map((w) => w.name))}: leave the others out`,
    );
}

function checkShape(file: string, name: string, found: readonly number[], wanted: readonly number[]): void {
  if (found.length === wanted.length && found.every((d, k) => d === wanted[k])) return;
  const shown = formatShape(found.slice(0, 16));
  throw new FormatError(
    file,
    `${quote(name)} has the shape ${shown}, the program declares ${formatShape(wanted)}`,
    'reshape it, or change the dimensions of the program',
  );
}

const notFinite = (
  file: string,
  name: string,
  shape: readonly number[],
  position: number,
  value: string,
): FormatError =>
  new FormatError(file, `${entryName(name, shape, position)} is ${value}`, 'every entry has to be a finite number');

function flat(
  file: string,
  name: string,
  given: Readonly<Record<string, unknown>>,
  shape: readonly number[],
): Float64Array {
  const { shape: found, data } = given;
  if (!Array.isArray(found) || !found.every((d) => typeof d === 'number') || !Array.isArray(data))
    throw new FormatError(
      file,
      `${quote(name)} is an object without "shape" and "data"`,
      'write { "shape": [2, 2], "data": [0.5, 1, 2, 3] }, or nested arrays',
    );
  checkShape(file, name, found, shape);
  if (data.length !== entriesOf(shape))
    throw new FormatError(
      file,
      `the data of ${quote(name)} has ${data.length} entries, its shape ${formatShape(shape)} has ${entriesOf(shape)}`,
      'give one number an entry',
    );
  return Float64Array.from(data, (v: unknown, position) => finite(file, name, shape, position, v));
}

function nested(file: string, name: string, given: unknown, shape: readonly number[]): Float64Array {
  const out = new Float64Array(entriesOf(shape));
  let position = 0;
  // As deep as the shape only, whatever the file nests.
  const visit = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      out[position] = finite(file, name, shape, position, value);
      position++;
      return;
    }
    if (!Array.isArray(value) || value.length !== shape[axis]) {
      const length = shape.slice(axis).reduce((n, d) => n * d, 1);
      const place = entryName(name, shape.slice(0, axis), position / length);
      const found = Array.isArray(value) ? `has ${value.length} entries` : `is ${show(value)}`;
      throw new FormatError(
        file,
        `${place} ${found}, where the shape ${formatShape(shape)} has ${shape[axis]}`,
        'reshape it, or change the dimensions of the program',
      );
    }
    for (const entry of value) visit(entry, axis + 1);
  };
  visit(given, 0);
  return out;
}

function finite(file: string, name: string, shape: readonly number[], position: number, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  // JSON writes an infinity as a number too large for a float64.
  throw notFinite(file, name, shape, position, typeof value === 'number' ? String(value) : show(value));
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? 'a string' : String(value);
}
