/**
 * Argument checks shared by the devices, so that each refuses the same calls with the same words.
 */
import type { FrVector, IntMatrices, PointVector, RealMatrices, AnyTable } from './device.ts';
import { constantCount, tableCount, type Expression } from '../kernels/expression.ts';

export function checkSlice(what: string, offset: number, length: number, available: number): void {
  if (!Number.isInteger(offset) || !Number.isInteger(length) || offset < 0 || length < 0 || offset + length > available)
    throw new RangeError(`${what}: [${offset}, ${offset} + ${length}) does not lie inside ${available} entries`);
}

export function checkContract(
  v: { readonly length: number },
  [outer, reduce, inner]: readonly [number, number, number],
  weights: FrVector,
): void {
  if (v.length !== outer * reduce * inner)
    throw new RangeError(`contract: ${v.length} entries are not of shape [${outer}, ${reduce}, ${inner}]`);
  if (weights.length < reduce) throw new RangeError(`contract: ${weights.length} weights for a dimension of ${reduce}`);
}

export function checkRows(v: { readonly length: number }, columns: number, rows: Int32Array, weights: FrVector): void {
  if (weights.length < rows.length)
    throw new RangeError(`combineRows: ${weights.length} weights for ${rows.length} rows`);
  const available = Math.floor(v.length / columns);
  for (const row of rows)
    if (row < 0 || row >= available) throw new RangeError(`combineRows: row ${row} of a matrix of ${available} rows`);
}

export function checkProduct(
  left: IntMatrices | RealMatrices,
  right: IntMatrices | RealMatrices,
  [batch, outer, reduce, inner]: readonly [number, number, number, number],
): void {
  checkMatrices('left', left, [batch, outer, reduce]);
  checkMatrices('right', right, [batch, reduce, inner]);
}

function checkMatrices(
  side: string,
  matrices: IntMatrices | RealMatrices,
  shape: readonly [number, number, number],
): void {
  const { offset, strides } = matrices;
  const [operation, { length }] =
    'vector' in matrices ? ['multiplyIntegers', matrices.vector] : ['multiplyReals', matrices.values];
  const last = shape.reduce((at, n, j) => at + (n - 1) * strides[j], offset);
  const isWhole = [offset, ...strides, ...shape].every((n) => Number.isInteger(n) && n >= 0);
  if (!isWhole || (!shape.includes(0) && last >= length))
    throw new RangeError(
      `${operation}: ${side} matrices of shape [${shape.join(', ')}] at ${offset} with strides [${strides.join(', ')}] do not lie inside ${length} entries`,
    );
}

export function checkMsm(parts: readonly { readonly points: PointVector; readonly scalars: FrVector }[]): void {
  for (const { points, scalars } of parts)
    if (scalars.length > points.length)
      throw new RangeError(`msm: ${scalars.length} scalars for ${points.length} points`);
}

export function checkTables(tables: readonly AnyTable[], variables: number): void {
  if (!Number.isInteger(variables) || variables < 1)
    throw new RangeError(`no variable left to bind (variables = ${variables})`);
  for (let i = 0; i < tables.length; i++)
    if (tables[i].length > 2 ** variables)
      throw new RangeError(`table ${i} has ${tables[i].length} entries, more than 2^${variables}`);
}

export function checkInto(into: FrVector | undefined, length: number): void {
  if (into !== undefined && into.length !== length)
    throw new RangeError(`map: ${length} entries into a vector of ${into.length}`);
}

/** @throws RangeError unless positions have 4 bytes: what they are the caller guarantees. */
export function checkIndexed(tables: readonly AnyTable[]): void {
  for (let i = 0; i < tables.length; i++) {
    const t = tables[i];
    if (t.kind === 'indexed' && t.index.bytes !== 4)
      throw new RangeError(`table ${i}: positions of ${t.index.bytes} bytes, not 4`);
  }
}

export function checkArguments(e: Expression, tables: number, constants: number): void {
  if (tables < tableCount(e)) throw new RangeError(`the expression reads ${tableCount(e)} tables, ${tables} given`);
  if (constants < constantCount(e))
    throw new RangeError(`the expression reads ${constantCount(e)} constants, ${constants} given`);
}

export function checkIndex(index: Int32Array, length: number): void {
  for (const i of index) if (i >= length) throw new RangeError(`gather: index ${i} in a vector of ${length} entries`);
}

export function checkEqLength(variables: number, length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > 2 ** variables)
    throw new RangeError(`eq: a table of ${length} entries over ${variables} variables`);
}

export const histogramError = (value: bigint | number, index: number, first: number, size: number): RangeError =>
  new RangeError(`histogram: entry ${index} has the value ${value}, outside of [${first}, ${first + size})`);
