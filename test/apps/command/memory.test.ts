/** A proof that does not fit into memory is refused before it begins, with what would fit. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkMemory, lackOf } from '../../../apps/command/show/memory.ts';
import { CliError } from '../../../apps/command/errors.ts';
import { createProgress } from '../../../apps/command/show/progress.ts';
import { decodeBundle, type Bundle } from '../../../compiler/bundle/bundle.ts';
import { compile } from '../../../compiler/index.ts';
import { proofMemory } from '../../../runtime/inspect/memory.ts';

/** Each token has a row of numbers, rounded: all that a proof takes grows with T. */
const text = `/// Of \`tokens[t]\`, for every t.
model m {
  dim T = 64, V = 64, D = 64
  public tokens[T]: index<V>
  open E[V, D]: fixed<16, 14> from base "E"
  h[t, d] = E[tokens[t], d]
  public s[t, d] = round<16, 12>(h[t, d] * h[t, d])
}
`;

function bundleOf(T: number): Bundle {
  const { bundle, diagnostics } = compile({ text, source: 'm.zkl', overrides: { T: String(T) } });
  if (bundle === undefined) throw new Error(JSON.stringify(diagnostics));
  return decodeBundle(bundle);
}

afterEach(() => vi.restoreAllMocks());

/** What is refused, or what is noted. */
function checked(bundle: Bundle, available: number, whole = available): { error?: CliError; notes: string[] } {
  vi.spyOn(process, 'availableMemory').mockReturnValue(available);
  vi.spyOn(process, 'constrainedMemory').mockReturnValue(whole);
  const notes: string[] = [];
  const progress = createProgress((line) => notes.push(line));
  try {
    checkMemory('m.zkb', bundle, 1000, progress);
    return { notes };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { error, notes };
  }
}

describe('memory for a proof', () => {
  test('what is told to fit does fit, and a third more does not', () => {
    const bundle = bundleOf(2 ** 14);
    const { total, fixed } = proofMemory(bundle.gadgets, 1000);
    const available = fixed + (total - fixed) / 3;
    const { error } = checked(bundle, available);
    expect(error?.message).toMatch(/^a proof of m\.zkb takes about .* of memory: this machine has /);
    const fit = Number(/--dim T=(\d+)/.exec(error?.remedy ?? '')?.[1]);
    expect(error?.remedy).toContain(`of 16384 tokens ${fit} fit`);
    expect(checked(bundleOf(fit), available)).toEqual({ notes: [] });
    expect(checked(bundleOf(2 * fit), available * 0.8).error).toBeInstanceOf(CliError);
  });

  test('what may fit is tried, and said', () => {
    const bundle = bundleOf(64);
    const { total } = proofMemory(bundle.gadgets, 1000);
    const { error, notes } = checked(bundle, 0.9 * total);
    expect(error).toBeUndefined();
    expect(notes.join()).toContain('it may fail');
    expect(checked(bundle, total + 1).notes).toEqual([]);
    // What is free now says little: caches of files are given up.
    const busy = checked(bundle, 0.1 * total, 2 * total);
    expect([busy.error, busy.notes.join()]).toEqual([undefined, expect.stringContaining('are free on this machine')]);
  });

  test('a device that cannot address what it needs is no matter of the machine', () => {
    const memory = { total: 2e10, fixed: 1e9, device: 1.2e10, phase: 'equations' } as const;
    expect(lackOf(memory, 1e12, 1e12)).toMatchObject({
      certain: true,
      text: expect.stringContaining('WebAssembly') as string,
    });
    expect(lackOf({ ...memory, device: 4.5e9 }, 1e12, 1e12)).toMatchObject({ certain: false });
    expect(lackOf({ ...memory, device: 4e9 }, 1e12, 1e12)).toBeUndefined();
  });
});
