/** Numbers for people. */

/** 1234567 as 1,234,567. */
export const count = (n: number | bigint): string => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** "1 row", "2 rows". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** A number with the digits that matter. */
export const real = (x: number): string =>
  Number.isInteger(x) && Math.abs(x) < 1e9 ? x.toString() : Number(x.toPrecision(6)).toString();
