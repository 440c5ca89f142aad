/** The smallest adapter that has everything: for tests of what surrounds proofs. */
import { compile } from '../../compiler/index.ts';

const text = `model small at "m" {
  dim T = 2, I = 5, O = 3, R = 2
  public x[T, I]: fixed<8, 4>
  secret A[R, I]: fixed<8, 6> from adapter "A"
  secret B[O, R]: fixed<8, 6> from adapter "B"
  u[t, r] = sum(i) x[t, i] * A[r, i]
  public y[t, o] = sum(r) u[t, r] * B[o, r]
}`;

export const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i * 7) % 11) / 8 - 0.5);

export const weights = new Map([
  ['m.A', { shape: [2, 5], values: numbers(10) }],
  ['m.B', { shape: [3, 2], values: numbers(6) }],
]);

export const inputs = new Map([['x', numbers(10)]]);

export function smallBundle(): Uint8Array {
  const { bundle, diagnostics } = compile({ text, source: 'small.zkl', resolveImport: () => undefined });
  if (!bundle) throw new Error(diagnostics.map((d) => d.title).join('; '));
  return bundle;
}
