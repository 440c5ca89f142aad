/** What people say that commitments have to be: one line a source, `SOURCE=DIGEST`, or `SOURCE=trusted` for open weights taken as they came. */
import type { Expectation } from '../../../runtime/verifier/index.ts';

/** A line that says nothing of the kind. */
export class ExpectedError extends Error {}

/** By source. @throws ExpectedError */
export function readExpected(lines: readonly string[]): Record<string, Expectation> {
  const entries = lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line): [string, Expectation] => {
      const [, source, what] = /^(.+)=([0-9a-f]{64}|trusted)$/i.exec(line) ?? [];
      if (source === undefined) throw new ExpectedError(`"${line}" is neither SOURCE=DIGEST nor SOURCE=trusted`);
      return [source, what === 'trusted' ? { basis: 'trusted' } : what];
    });
  return Object.fromEntries(entries);
}
