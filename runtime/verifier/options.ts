/** What the verifier's functions are called with, checked before anything is computed. */
import {
  optional,
  requireArray,
  requireBytes,
  requireDevice,
  requireFunction,
  requireObject,
  requireText,
} from '../../compiler/ir/arguments.ts';

/** @returns the options */
export function checkVerifier<T>(bundle: unknown, options: T): T {
  requireBytes('bundle', bundle);
  requireObject('options', options, '{ device, ... }');
  const { device, cache } = options as { readonly device?: unknown; readonly cache?: unknown };
  requireDevice('options.device', device, 'msm');
  if (cache !== undefined) {
    requireObject('options.cache', cache, '{ has, add }');
    const { has, add } = cache as { readonly has?: unknown; readonly add?: unknown };
    requireFunction('options.cache.has', has);
    requireFunction('options.cache.add', add);
  }
  return options;
}

export function checkTogether(link: unknown, proofs: unknown): void {
  requireObject('link', link, '{ source, output }');
  const { source, output } = link as { readonly source?: unknown; readonly output?: unknown };
  requireText('link.source', source);
  requireText('link.output', output);
  requireArray('proofs', proofs, '{ proof, context }');
  for (const [i, given] of (proofs as readonly unknown[]).entries()) {
    requireObject(`proofs[${i}]`, given, '{ proof, context }');
    const { proof, context } = given as { readonly proof?: unknown; readonly context?: unknown };
    requireBytes(`proofs[${i}].proof`, proof);
    optional(`proofs[${i}].context`, context, requireBytes);
  }
}

export function checkVerify(proof: unknown, options: unknown): void {
  requireBytes('proof', proof);
  requireObject('options', options, '{ context }');
  optional('options.context', (options as { readonly context?: unknown }).context, requireBytes);
}
