/** The demo, every step of it in this browser: from a PEFT adapter to a verified proof, and a forgery that is rejected. */
import { compile, type Diagnostic } from '../../../compiler/index.ts';
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { importAdapter } from '../../../models/import/adapter.ts';
import { randomInputs, type WantedInput } from '../../../models/files/inputs.ts';
import { loadAdapter } from '../../../models/adapters/peft.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { commit, createProver } from '../../../runtime/prover/index.ts';
import { createVerifier } from '../../../runtime/verifier/index.ts';
import type { AdapterFiles, Report } from '../messages.ts';
import { summarise } from './publics.ts';
import { steps } from './steps.ts';

const ROWS = 4;

export async function runDemo(device: Device, { config, tensors }: AdapterFiles, report: Report): Promise<void> {
  const { step, size } = steps(report);
  const adapter = await loadAdapter(config, bytesSource('adapter_model.safetensors', tensors), 'adapter_config.json');
  const { description, fileName } = adapter;
  const text = importAdapter({ description, fileName, maxAbs: await adapter.maxAbs() }, { rows: ROWS });
  report({ kind: 'program', text });

  const { bytes, bundle } = await step('Compile the program', async () => {
    const compiled = compile({ text, source: 'adapter.zkl' });
    if (!compiled.bundle) throw new Error(compiled.diagnostics.map((d: Diagnostic) => d.title).join('; '));
    const verifier = await createVerifier(compiled.bundle, { device });
    return { value: { bytes: compiled.bundle, bundle: verifier.bundle }, detail: size(compiled.bundle) };
  });
  const [source] = bundle.gadgets.sources;
  const weights = adapter.reader;
  const { commitment, opening } = await step('Commit to the adapter, with a proof of its range', async () => {
    const value = await commit(bytes, source.name, weights, { device });
    return { value, detail: size(value.commitment) };
  });
  const { proof } = await step('Prove the outputs for random activations', async () => {
    const prover = await createProver(bytes, { device, sources: [{ opening, weights }] });
    const value = await prover.prove(randomInputs('demo', wantedInputs(bundle)));
    return { value, detail: `${size(value.proof)}, ${value.proofBytes.toLocaleString('en')} of them the proof proper` };
  });
  report({
    kind: 'files',
    files: [
      { name: 'adapter.zkb', bytes },
      { name: 'commitment.zkc', bytes: commitment },
      { name: 'proof.zkp', bytes: proof },
    ],
  });

  const verifier = await createVerifier(bytes, { device });
  try {
    await step('Validate the commitment', async () => {
      const verdict = await verifier.register(commitment);
      if (!verdict.ok) throw new Error(`the commitment is rejected: ${verdict.reason}`);
      return { value: verdict, detail: 'in range' };
    });
    const verdict = await step('Verify the proof', async () => {
      const value = await verifier.verify(proof);
      return { value, detail: value.ok ? 'accepted' : `rejected: ${value.reason}` };
    });
    const forged = proof.slice();
    forged[forged.length - 100] ^= 1;
    const refusal = await step('Verify it with one bit changed', async () => {
      const value = await verifier.verify(forged);
      return { value, detail: value.ok ? 'accepted' : `rejected: ${value.reason}` };
    });
    const accepted = verdict.ok && !refusal.ok;
    report({
      kind: 'verdict',
      accepted,
      text: accepted
        ? `Proved and verified on ${device.name}. The adapter stayed hidden, and the changed proof was rejected.`
        : 'The demo failed: an honest proof has to be accepted, and a changed one rejected.',
      publics: verdict.ok ? summarise(verifier.bundle, verdict.publics) : [],
    });
  } finally {
    verifier.close();
  }
}

const wantedInputs = ({ gadgets }: Bundle): WantedInput[] =>
  gadgets.publics.flatMap((id) => {
    const { name, shape, type, class: c } = gadgets.tensors[id];
    return c.kind === 'input' && type ? [{ name, shape, type }] : [];
  });
