/** Steps that are timed and reported. */
import type { Report } from '../messages.ts';

export interface Steps {
  step<T>(name: string, body: () => Promise<{ readonly value: T; readonly detail: string }>): Promise<T>;
  size(bytes: Uint8Array): string;
}

export const steps = (report: Report): Steps => ({
  async step(step, body) {
    const since = performance.now();
    const { value, detail } = await body();
    report({ kind: 'step', step, milliseconds: performance.now() - since, detail });
    return value;
  },
  size: (bytes) => `${bytes.length.toLocaleString('en')} bytes`,
});
