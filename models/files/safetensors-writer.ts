/** Writing safetensors files; the format is described in `safetensors.ts`. */
import { requireMap, requireNumbers } from '../../compiler/ir/arguments.ts';
import { codecOf, type Dtype } from './dtypes.ts';
import { entryName, FormatError, formatShape, quote } from './errors.ts';

export interface TensorToWrite {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: ArrayLike<number>;
}

/**
 * The bytes of a file with these tensors. Wider entries come first, then names in code unit order, so that every tensor
 * is aligned and the same tensors give the same bytes in whatever order they come.
 *
 * @param file its name in messages
 * @throws FormatError if a tensor has not as many values as its shape says, or an entry is none of its integer dtype
 */
export function writeSafetensors(tensors: ReadonlyMap<string, TensorToWrite>, file = 'safetensors'): Uint8Array {
  requireMap('tensors', tensors, 'names to { dtype, shape, values }');
  const byLayout = ([a, s]: [string, TensorToWrite], [b, t]: [string, TensorToWrite]): number =>
    codecOf(t.dtype).bytes - codecOf(s.dtype).bytes || (a < b ? -1 : 1);
  const header: [string, unknown][] = [['__metadata__', { format: 'pt' }]];
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, tensor] of [...tensors].sort(byLayout)) {
    const bytes = encode(file, name, tensor);
    header.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [at, at + bytes.length] }]);
    parts.push(bytes);
    at += bytes.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + length + at);
  new DataView(out.buffer).setBigUint64(0, BigInt(length), true);
  out.fill(0x20, 8, 8 + length);
  out.set(json, 8);
  let offset = 8 + length;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

function encode(file: string, name: string, { dtype, shape, values }: TensorToWrite): Uint8Array {
  if (name === '__metadata__')
    throw new FormatError(file, 'a tensor cannot be called "__metadata__"', 'use another name');
  requireNumbers(`tensors[${JSON.stringify(name)}].values`, values);
  const entries = shape.reduce((n, d) => n * d, 1);
  if (values.length !== entries)
    throw new FormatError(
      file,
      `${quote(name)} has ${values.length} values, its shape ${formatShape(shape)} has ${entries}`,
      'give one value an entry',
    );
  const bytes = codecOf(dtype).encode(values);
  if (bytes instanceof Uint8Array) return bytes;
  throw new FormatError(file, `${entryName(quote(name), shape, bytes.position)} ${bytes.reason}`, 'use a wider dtype');
}
