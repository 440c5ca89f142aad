/** Tables of forgeries as tests: see `forgeries.test.ts`. */
import { describe, expect, test } from 'vitest';
import type { Device } from '../../runtime/device/device.ts';
import { forge, without, type Forger, type Forgery } from '../kit/forge.ts';
import { createStatement, type Statement } from '../kit/statement.ts';
import { createSubject, type Values } from '../kit/subject.ts';

export interface Case {
  readonly text: string;
  /** Integers of the inputs, by name. */
  readonly inputs: Readonly<Record<string, readonly bigint[]>>;
  readonly forgeries: Readonly<Record<string, Forgery & { readonly bound?: readonly string[] }>>;
}

/** Adds to entries. */
export const change =
  (...changes: readonly (readonly [name: string, at: number, by: bigint])[]) =>
  (f: Forger): void => {
    for (const [name, at, by] of changes) f.add(name, at, by);
  };

export async function statementOf(device: Device, { text, inputs }: Case): Promise<Statement> {
  const subject = await createSubject(text);
  const values: Values = new Map(
    subject.program.tensors.flatMap((t) => (t.name in inputs ? [[t.id, inputs[t.name]] as const] : [])),
  );
  return createStatement(device, subject, values);
}

/** Each program is proved as it is; each forgery is rejected, and accepted without the one thing that is in its way. */
export function describeForgeries(device: Device, cases: Readonly<Record<string, Case>>): void {
  describe.each(Object.entries(cases))('%s', (_, c) => {
    test('is proved as it is', async () => {
      const verdict = await forge(device, await statementOf(device, c), {});
      expect(verdict).toEqual({ ok: true });
    });

    test.each(Object.entries(c.forgeries))('%s', async (_, forgery) => {
      const s = await statementOf(device, c);
      expect((await forge(device, s, forgery)).ok).toBe(false);
      if (!forgery.bound?.length) return;
      const verdict = await forge(device, s, { ...forgery, program: without(...forgery.bound) });
      expect(verdict).toEqual({ ok: true });
      for (const name of forgery.bound) {
        const others = forgery.bound.filter((n) => n !== name);
        expect((await forge(device, s, { ...forgery, program: without(...others) })).ok, `without ${name}`).toBe(false);
      }
    });
  });
}
