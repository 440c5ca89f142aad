/** Values of tables as doubles. */

const known = new WeakMap<readonly bigint[], Float64Array>();

/** A prover, and a training run, meets the same tables in every layer and every time. */
export function tableDoubles(values: readonly bigint[]): Float64Array {
  const doubles = known.get(values) ?? Float64Array.from(values, Number);
  known.set(values, doubles);
  return doubles;
}
