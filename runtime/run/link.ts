/** Whether a state of a run holds an adapter that is committed to in the ordinary way: for programs that serve it. */
import type { VerifierDevice } from '../device/device.ts';
import { entry } from '../integers/arrays.ts';
import { createVerifier, type Budget, type ValidationCache, type Verdict, type Verifier } from '../verifier/index.ts';
import { toHex } from '../verifier/verdict.ts';

/** The sources of a link's program. */
const [ADAPTER, STATE] = ['adapter', 'state'];

export interface LinkToVerify {
  /** The ordinary commitment to the adapter, with its range proof. */
  readonly commitment: Uint8Array;
  readonly proof: Uint8Array;
  /** `linkContext` of the run and the state. */
  readonly context: Uint8Array;
  /** Gives the verifier the state's commitment: what a step put out, or what the run began with. */
  state(verifier: Verifier): Promise<Verdict>;
}

export type LinkVerdict =
  | { readonly ok: true; /** Of the commitment to the adapter, hex. */ readonly adapter: string }
  | { readonly ok: false; readonly reason: string };

/** @param bundle of the link's program, made by the verifier */
export async function verifyLink(
  bundle: Uint8Array,
  { commitment, proof, context, state }: LinkToVerify,
  options: {
    readonly device: VerifierDevice;
    readonly limit?: Budget | undefined;
    readonly cache?: ValidationCache | undefined;
  },
): Promise<LinkVerdict> {
  const verifier = await createVerifier(bundle, options);
  try {
    const adapter = await verifier.register(commitment);
    if (!adapter.ok) return { ok: false, reason: `the commitment to the adapter: ${adapter.reason}` };
    const given = await state(verifier);
    if (!given.ok) return { ok: false, reason: `the state: ${given.reason}` };
    const verdict = await verifier.verify(proof, { context });
    if (!verdict.ok) return { ok: false, reason: verdict.reason };
    for (const [name, values] of verdict.publics)
      for (let k = 0; k < values.length; k++)
        if (BigInt(entry(values, k)) !== 0n)
          return { ok: false, reason: `the adapter is not the state's: ${name} is ${entry(values, k)}, not 0` };
    const digest = verifier.commitment(ADAPTER);
    if (digest === undefined || verifier.commitment(STATE) === undefined)
      throw new Error('internal error: a link without an adapter');
    return { ok: true, adapter: toHex(digest) };
  } finally {
    verifier.close();
  }
}
