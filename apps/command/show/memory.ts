/** What a proof takes of this machine's memory, said before any work is done. */
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import { DEVICE_LIMIT, proofMemory, type ProofMemory } from '../../../runtime/inspect/memory.ts';
import { availableMemory, wholeMemory } from '../../host/limits.ts';
import { CliError } from '../errors.ts';
import type { Progress } from './progress.ts';
import { bytes } from './text.ts';

/** What a model that is within a quarter of what is measured may be too high by. */
const CERTAIN = 0.8;

/**
 * Refuses a proof on the device `wasm` that will certainly not fit, and says of one that may not.
 *
 * @param bundleBytes of the file
 * @throws CliError with the numbers, and how many tokens would fit
 */
export function checkMemory(path: string, bundle: Bundle, bundleBytes: number, progress: Progress): void {
  const memory = proofMemory(bundle.gadgets, bundleBytes);
  const [available, whole] = [availableMemory(), wholeMemory()];
  const lack = lackOf(memory, available, whole);
  if (lack === undefined) return;
  const what = `a proof of ${path} takes about ${memoryText(memory)}: ${lack.text}`;
  if (!lack.certain) return progress.note(`${what}; it may fail`);
  throw new CliError(what, remedyOf(bundle, memory, Math.min(whole, fitting(memory))), {
    json: { memory: { ...memory, available } },
  });
}

/**
 * Which it is too much for, if for any. It certainly fails only for lack of what there is at all: of what is free now, caches of files may be
 * given up, and swap does the rest.
 */
export function lackOf(
  { total, device }: ProofMemory,
  available: number,
  whole: number,
): { readonly text: string; readonly certain: boolean } | undefined {
  if (device > DEVICE_LIMIT)
    return {
      text: `WebAssembly addresses ${bytes(DEVICE_LIMIT)}, and ${bytes(device)} would have to be there`,
      certain: CERTAIN * device > DEVICE_LIMIT,
    };
  if (CERTAIN * total > whole) return { text: `this machine has ${bytes(whole)}`, certain: true };
  if (total > available) return { text: `${bytes(available)} are free on this machine`, certain: false };
  return undefined;
}

export const memoryText = ({ total }: ProofMemory): string => `${bytes(total)} of memory`;

/** Of the process, where the device's part is as much as there can be. */
const fitting = ({ total, fixed, device }: ProofMemory): number => fixed + ((total - fixed) / device) * DEVICE_LIMIT;

function remedyOf(bundle: Bundle, { total, fixed }: ProofMemory, available: number): string {
  const { gadgets } = bundle;
  const tokens = gadgets.tensors.find(
    (t) => t.class.kind === 'input' && t.type?.kind === 'index' && t.shape.length === 1,
  );
  // What grows faster than the tokens shrinks faster, too.
  const fit = tokens === undefined ? 0 : Math.floor((tokens.shape[0] * (available - fixed)) / (total - fixed));
  if (tokens === undefined || fit < 1) return 'use a machine with more memory, or a smaller program';
  const declared = new RegExp(`\\b${tokens.name}\\s*\\[\\s*([A-Za-z_]\\w*)\\s*\\]\\s*:`);
  const dim = bundle.sources.map(({ text }) => declared.exec(text)?.[1]).find((name) => name !== undefined);
  const how = dim === undefined ? '' : `: zkl compile with --dim ${dim}=${fit}, under the same commitments`;
  return `of ${tokens.shape[0]} tokens ${fit} fit, and perhaps more${how}`;
}
