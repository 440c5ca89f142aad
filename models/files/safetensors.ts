/**
 * Reading safetensors files (huggingface/safetensors, "Format"): the length of the header as a little-endian u64, the
 * header as a JSON object of names to `{ dtype, shape, data_offsets }`, and the tensors, row-major, one after the other
 * without gaps. Nothing in a file is believed: every number of the header is held against the size of the file before
 * anything is allocated.
 */
import { requireSource } from './arguments.ts';
import { codecOf, DTYPES, isDtype, type Dtype } from './dtypes.ts';
import { entryName, FormatError, formatShape, quote, quoteSome } from './errors.ts';
import { decodeUtf8, isObject, parseJson } from './json.ts';
import type { ByteSource } from './source.ts';
import type { Weights } from '../../runtime/weights.ts';

export interface TensorInfo {
  readonly dtype: Dtype;
  /** Empty for a scalar; a length may be 0. */
  readonly shape: readonly number[];
}

export interface SafetensorsFile {
  readonly name: string;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * The entries of a tensor, row-major, widened exactly.
   * @throws FormatError if there is no such tensor, or an entry has no exact float64 (integers beyond 2^53)
   */
  readFloats(name: string): Promise<Float64Array>;
  /**
   * The largest magnitude of a tensor's entries, which are read a stretch at a time; 0 of none.
   * @throws FormatError if there is no such tensor, or an entry is infinite or no number
   */
  largest(name: string): Promise<number>;
  /** The file as `commit`, `createProver`, `calibrate` and `compare` take weights: read tensor by tensor. */
  readonly reader: Weights;
}

/** What the reference implementation allows. */
const MAX_HEADER = 100_000_000;

const REMEDY = 'download or save the file again';

interface Stored extends TensorInfo {
  /** Of the first byte, from the beginning of the file. */
  readonly begin: number;
  readonly end: number;
}

/** Reads and checks the header. @throws FormatError */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  requireSource('source', source);
  const { name: file, size } = source;
  const length = await headerLength(source);
  const bytes = await exactly(source, 8, length);
  const text = decodeUtf8(file, 'the header', bytes, REMEDY);
  if (!text.startsWith('{'))
    throw new FormatError(file, 'the header does not begin with "{"', `is it a safetensors file? ${REMEDY}`);
  const header = parseJson(file, 'the header', text, REMEDY);
  if (!isObject(header)) throw new FormatError(file, 'the header is not a JSON object', REMEDY);
  const tensors = new Map<string, Stored>();
  for (const [name, entry] of Object.entries(header))
    if (name === '__metadata__') checkMetadata(file, entry);
    else tensors.set(name, readEntry(file, name, entry, 8 + length));
  const ordered = new Map([...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end));
  checkLayout(file, ordered, 8 + length, size);

  const find = (name: string): Stored => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    throw new FormatError(file, `there is no tensor ${quote(name)}`, `it has ${quoteSome(ordered.keys())}`);
  };
  /** Some entries of a tensor, from a position on. */
  const readPart = async (name: string, tensor: Stored, from: number, count: number): Promise<Float64Array> => {
    const { bytes, decode } = codecOf(tensor.dtype);
    const values = decode(await exactly(source, tensor.begin + from * bytes, count * bytes));
    if (values instanceof Float64Array) return values;
    throw new FormatError(
      file,
      `${entryName(quote(name), tensor.shape, from + values.position)} ${values.reason}`,
      `save it as ${tensor.dtype} again, or as F32`,
    );
  };
  const readFloats = async (name: string): Promise<Float64Array> => {
    const tensor = find(name);
    const tooLarge = (): never => {
      const shape = formatShape(tensor.shape.slice(0, 16));
      throw new FormatError(
        file,
        `the tensor ${quote(name)} of ${tensor.dtype} ${shape} does not fit into memory`,
        'split it',
      );
    };
    if (entriesOf(tensor) > MAX_ENTRIES) tooLarge();
    try {
      return await readPart(name, tensor, 0, entriesOf(tensor));
    } catch (e) {
      if (e instanceof RangeError) return tooLarge();
      throw e;
    }
  };
  const largest = async (name: string): Promise<number> => {
    const tensor = find(name);
    const entries = entriesOf(tensor);
    let max = 0;
    for (let from = 0; from < entries; from += STRETCH) {
      const values = await readPart(name, tensor, from, Math.min(STRETCH, entries - from));
      for (let i = 0; i < values.length; i++) {
        const v = Math.abs(values[i]);
        if (!(v < Infinity))
          throw new FormatError(
            file,
            `${entryName(quote(name), tensor.shape, from + i)} is ${values[i]}`,
            'every weight has to be a finite number: train or save it again',
          );
        if (v > max) max = v;
      }
    }
    return max;
  };
  return { name: file, tensors: ordered, readFloats, largest, reader: readerOf(ordered, readFloats) };
}

/** Tensors of one file or of several as weights. */
export const readerOf = (
  tensors: ReadonlyMap<string, Pick<TensorInfo, 'shape'>>,
  readFloats: SafetensorsFile['readFloats'],
): Weights => ({ names: () => tensors.keys(), shape: (name) => tensors.get(name)?.shape, read: readFloats });

/** Files of other formats that are found under the same names, by their first bytes. All are lengths that no header has. */
const OTHERS: readonly (readonly [begin: string, what: string, remedy: string])[] = [
  ['PK\x03\x04', 'a pickled file of PyTorch', 'save the tensors with `save_pretrained(DIR, safe_serialization=True)`'],
  ['\x80\x02\x8a\x0a', 'a pickled file of PyTorch', 'save them with `save_pretrained(DIR, safe_serialization=True)`'],
  ['GGUF', 'a GGUF file', 'take the safetensors files that it was made from'],
  ['version ', 'a pointer of Git LFS', 'fetch it: git lfs pull'],
];

function refuseOtherFormats(file: string, word: Uint8Array): void {
  const text = String.fromCharCode(...word);
  const other = OTHERS.find(([begin]) => text.startsWith(begin));
  if (other) throw new FormatError(file, `it is ${other[1]}, no safetensors file`, other[2]);
}

/** Entries of one tensor that are read at once: 16 GB as float64. */
const MAX_ENTRIES = 2 ** 31;

/** Entries that are read at once where not all are needed. */
const STRETCH = 2 ** 20;

const entriesOf = ({ begin, end, dtype }: Stored): number => (end - begin) / codecOf(dtype).bytes;

async function headerLength(source: ByteSource): Promise<number> {
  const { name: file, size } = source;
  if (size < 8) throw new FormatError(file, `it has ${size} bytes, a safetensors file has at least 8`, REMEDY);
  const word = await exactly(source, 0, 8);
  refuseOtherFormats(file, word);
  const length = new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(size - 8))
    throw new FormatError(
      file,
      `its header claims ${length} bytes, but only ${size - 8} follow`,
      `it is cut short or no safetensors file: ${REMEDY}`,
    );
  if (length > BigInt(MAX_HEADER))
    throw new FormatError(file, `its header has ${length} bytes, over the limit of ${MAX_HEADER}`, 'split the file');
  return Number(length);
}

/** @throws FormatError if the source has fewer bytes than its size said */
async function exactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length === length) return bytes;
  throw new FormatError(
    source.name,
    `only ${bytes.length} of ${length} bytes could be read at ${offset}`,
    'it changed while it was read: try again',
  );
}

function checkMetadata(file: string, entry: unknown): void {
  if (isObject(entry) && Object.values(entry).every((v) => typeof v === 'string')) return;
  throw new FormatError(file, '"__metadata__" is not a map of strings to strings', REMEDY);
}

const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** `start` is where the data begins in the file. */
function readEntry(file: string, name: string, entry: unknown, start: number): Stored {
  const fail = (problem: string, remedy = REMEDY): never => {
    throw new FormatError(file, `the tensor ${quote(name)} ${problem}`, remedy);
  };
  if (!isObject(entry)) return fail('has no description');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDtype(dtype)) {
    const found = typeof dtype === 'string' ? `the dtype ${quote(dtype)}, which is not read here` : 'no dtype';
    return fail(`has ${found}`, `convert it to one of ${DTYPES.join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isLength)) return fail('has no shape of whole numbers');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isLength))
    return fail('has no pair of data_offsets');
  const [begin, end] = offsets as [number, number];
  const bytes = shape.reduce((n, d) => n * d, codecOf(dtype).bytes);
  // Once a product leaves the exact integers it stays outside, unless a length is 0, and then it is 0.
  if (!Number.isSafeInteger(bytes))
    return fail(`has the shape ${formatShape(shape.slice(0, 16))}, too large for any file`);
  if (end < begin) return fail(`ends at ${end}, before it begins at ${begin}`);
  if (end - begin !== bytes)
    return fail(
      `of ${dtype} ${formatShape(shape.slice(0, 16))} takes ${bytes} bytes, its data_offsets span ${end - begin}`,
    );
  return { dtype, shape, begin: start + begin, end: start + end };
}

/** Tensors have to follow each other without gaps, from the header to the end of the file. */
function checkLayout(file: string, ordered: ReadonlyMap<string, Stored>, start: number, size: number): void {
  let at = start;
  let before = 'the header';
  for (const [name, { begin, end }] of ordered) {
    if (end > size)
      throw new FormatError(
        file,
        `the tensor ${quote(name)} ends at byte ${end}, but the file has only ${size}`,
        `it is cut short: ${REMEDY}`,
      );
    if (begin < at) throw new FormatError(file, `the tensor ${quote(name)} overlaps ${before}`, REMEDY);
    if (begin > at)
      throw new FormatError(
        file,
        `${begin - at} bytes between ${before} and the tensor ${quote(name)} belong to nothing`,
        REMEDY,
      );
    at = end;
    before = `the tensor ${quote(name)}`;
  }
  if (at !== size) throw new FormatError(file, `${size - at} bytes after ${before} belong to nothing`, REMEDY);
}
