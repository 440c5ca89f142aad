/** Verifying a proof that was made elsewhere. */
import type { VerifierDevice } from '../runtime/device/device.ts';
import { decodeCommitment } from '../runtime/codec/files.ts';
import { createVerifier, type Verifier } from '../runtime/verifier/index.ts';
import type { ProofFiles, Report } from './messages.ts';
import { summarise } from './publics.ts';
import { steps } from './steps.ts';

/** Nothing is proved of a commitment to open tensors: its digest tells it from others. */
function detailOf(verifier: Verifier, commitment: Uint8Array): string {
  const { source } = decodeCommitment(commitment);
  const open = verifier.bundle.gadgets.sources.find((s) => s.name === source)?.open === true;
  const digest = Array.from(verifier.commitment(source) ?? [], (b) => b.toString(16).padStart(2, '0')).join('');
  return open ? `open weights, to be compared with a commitment that was checked: ${digest}` : 'in range';
}

export async function runVerification(
  device: VerifierDevice & { readonly name: string },
  { bundle, commitments, proof, context }: ProofFiles,
  report: Report,
): Promise<void> {
  const { step, size } = steps(report);
  const reject = (text: string): void => report({ kind: 'verdict', accepted: false, text, publics: [] });
  const verifier = await step('Read the bundle', async () => {
    const value = await createVerifier(bundle, { device });
    return { value, detail: `${value.bundle.gadgets.name}, ${size(bundle)}` };
  });
  try {
    for (const { name, bytes } of commitments) {
      const verdict = await step(`Validate ${name}`, async () => {
        const value = await verifier.register(bytes);
        return { value, detail: value.ok ? detailOf(verifier, bytes) : value.reason };
      });
      if (!verdict.ok) return reject(`Rejected: ${name}: ${verdict.reason}.`);
    }
    const verdict = await step('Verify the proof', async () => {
      const value = await verifier.verify(proof, { context: new TextEncoder().encode(context) });
      return { value, detail: size(proof) };
    });
    if (!verdict.ok) return reject(`Rejected: ${verdict.reason}.`);
    report({
      kind: 'verdict',
      accepted: true,
      text: `Accepted, on ${device.name}.`,
      publics: summarise(verifier.bundle, verdict.publics),
    });
  } finally {
    verifier.close();
  }
}
