/** Combinations of a matrix's rows out of a device's other operations. */
import type { Device, FrVector, IntVector } from './device.ts';
import { add, table } from '../kernels/expression.ts';

/** Entries up to which scattered rows are copied together; stretches of more are taken one after the other. */
const COPIED = 2 ** 18;

/** `Device.combineRows`, by contractions. The arguments have been checked. */
export function contractRows(
  device: Pick<Device, 'slice' | 'gather' | 'contract' | 'map' | 'prepare' | 'frVector'>,
  v: IntVector | FrVector,
  columns: number,
  rows: Int32Array,
  weights: FrVector,
): FrVector {
  if (rows.length === 0) return device.frVector(Array.from({ length: columns }, () => 0n));
  const stretch = (from: number, to: number): FrVector =>
    device.contract(
      device.slice(v, rows[from] * columns, (to - from) * columns),
      [1, to - from, columns],
      device.slice(weights, from, to - from),
    );
  const starts = Array.from(rows.keys()).filter((k) => k === 0 || rows[k] !== rows[k - 1] + 1);
  if (starts.length === 1) return stretch(0, rows.length);
  if (rows.length * columns <= COPIED) {
    const index = new Int32Array(rows.length * columns);
    for (let k = 0; k < rows.length; k++)
      for (let j = 0; j < columns; j++) index[k * columns + j] = rows[k] * columns + j;
    return device.contract(device.gather(v, index), [1, rows.length, columns], weights);
  }
  const sum = device.prepare(add(table(0), table(1)));
  return starts
    .map((from, i) => stretch(from, starts[i + 1] ?? rows.length))
    .reduce((a, b) => device.map(sum, [a, b], [], columns));
}
