/** Verifying a proof that was made elsewhere. */
import type { VerifierDevice } from '../runtime/device/device.ts';
import { createVerifier } from '../runtime/verifier/index.ts';
import type { ProofFiles, Report } from './messages.ts';
import { summarise } from './publics.ts';
import { steps } from './steps.ts';

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
        return { value, detail: value.ok ? 'in range' : value.reason };
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
