/** Verifying a proof that was made elsewhere. */
import type { VerifierDevice } from '../../../runtime/device/device.ts';
import { decodeCommitment } from '../../../runtime/codec/files.ts';
import { createVerifier, type Accepted, type Basis, type Verifier } from '../../../runtime/verifier/index.ts';
import { readExpected } from './expected.ts';
import type { ProofFiles, Report } from '../messages.ts';
import { summarise } from './publics.ts';
import { steps } from './steps.ts';

/** Of a commitment to open tensors nothing is proved, of one to secret ones that they are in range: the digest tells it from others. */
function detailOf(verifier: Verifier, commitment: Uint8Array): string {
  const { source } = decodeCommitment(commitment);
  const open = verifier.bundle.gadgets.sources.find((s) => s.name === source)?.open === true;
  const digest = Array.from(verifier.commitment(source) ?? [], (b) => b.toString(16).padStart(2, '0')).join('');
  return `${open ? 'open weights' : 'secret weights, in range'}, ${digest}`;
}

const words: Readonly<Record<Basis, string>> = {
  'checked now': 'compared with the weights now',
  'checked earlier': 'compared with the weights earlier',
  pinned: 'the commitment that you expect',
  trusted: 'trusted: nobody has compared it with the weights',
  adopted: 'the output of a proof that was accepted before',
  given: 'as it came with the proof: compare its digest with the published one',
};

function restsOn({ program, restsOn, context }: Accepted): string {
  const sources = restsOn.map(({ source, basis }) => `${source} (${words[basis]})`);
  const bound = context === 'bound' ? 'bound to the context' : 'bound to no context, so it can be shown again';
  return `It rests on the program ${program}, as the bundle has it${sources.map((s) => `, on ${s}`).join('')}, and is ${bound}.`;
}

export async function runVerification(
  device: VerifierDevice & { readonly name: string },
  { bundle, commitments, proof, context, expected }: ProofFiles,
  report: Report,
): Promise<void> {
  const { step, size } = steps(report);
  const reject = (text: string): void => report({ kind: 'verdict', accepted: false, text, publics: [] });
  const verifier = await step('Read the bundle', async () => {
    const value = await createVerifier(bundle, { device, expect: { sources: readExpected(expected) } });
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
    if (!verdict.ok && verdict.verdict === 'unverified')
      return reject(
        `Could not be verified: ${verdict.reason}. Give the digest of a commitment that was checked, or trust it, below.`,
      );
    if (!verdict.ok) return reject(`Rejected: ${verdict.reason}.`);
    report({
      kind: 'verdict',
      accepted: true,
      text: `Accepted, on ${device.name}. ${restsOn(verdict)}`,
      publics: summarise(verifier.bundle, verdict.publics),
    });
  } finally {
    verifier.close();
  }
}
