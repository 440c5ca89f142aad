/** Numbers for people. */

/** 1234567 as 1,234,567. */
export const count = (n: number | bigint): string => n.toString().replace(/\B(?=(\d{3})+$)/g, ',');

/** "1 row", "2 rows". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** A number with the digits that matter. */
export const real = (x: number): string =>
  Number.isInteger(x) && Math.abs(x) < 1e9 ? x.toString() : Number(x.toPrecision(6)).toString();

/** 1234567 as "1.23 MB": three digits, in powers of 1000. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} bytes`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let power = -1;
  do {
    n /= 1000;
    power++;
  } while (n >= 999.5 && power < units.length - 1);
  return `${n >= 100 ? n.toFixed(0) : n.toPrecision(3)} ${units[power]}`;
}
