/** A PEFT adapter through every step of the library, and what it has to give. */
import { expect } from 'vitest';
import { compile, interpret, type TensorProgram } from '../../../index.ts';
import { importAdapter, loadAdapter, randomInputs, bytesSource, type ByteSource } from '../../../models/index.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { commit, createProver, type WeightMap } from '../../../runtime/prover/index.ts';
import { dequantise, quantise } from '../../../runtime/integers/quantise.ts';
import { createVerifier } from '../../../runtime/verifier/index.ts';
import type { MadeAdapter } from '../../support/adapter.ts';

export const madeSource = ({ tensors }: MadeAdapter): ByteSource => bytesSource('adapter_model.safetensors', tensors);

export interface ProvedAdapter {
  readonly modules: number;
  readonly proofBytes: number;
  /** Largest error of a module's outputs against float64, relative to that module's largest output. */
  readonly worstError: number;
}

/** Imports, compiles, commits, proves and verifies; the outputs are the interpreter's, exactly. */
export async function proveAdapter(
  device: Device,
  config: string,
  source: ByteSource,
  rows: number,
): Promise<ProvedAdapter> {
  const adapter = await loadAdapter(config, source);
  const text = importAdapter({ ...adapter, maxAbs: await adapter.maxAbs() }, { rows });
  const { bundle, tensors, diagnostics } = compile({ text, source: 'adapter.zkl', resolveImport: () => undefined });
  expect(diagnostics).toEqual([]);
  const weights = await adapter.weights();
  const { commitment, opening } = await commit(bundle!, 'adapter', weights, { device });
  const prover = await createProver(bundle!, { device, sources: [{ opening, weights }] });
  const inputs = randomInputs('adapters', wantedInputs(tensors!));
  const { proof, publics, proofBytes } = await prover.prove(inputs);

  const verifier = await createVerifier(bundle!, { device });
  expect(await verifier.register(commitment)).toEqual({ ok: true });
  expect(await verifier.verify(proof)).toMatchObject({ ok: true });
  verifier.close();

  const meant = interpretOn(tensors!, weights, inputs);
  let worstError = 0;
  for (const t of tensors!.tensors.filter((x) => x.role === 'output')) {
    const proved = publics.get(t.name)!;
    const values = meant.get(t.id)!.values;
    expect(values.length).toBe(proved.length);
    expect(values.findIndex((v, i) => v !== BigInt(proved[i]))).toBe(-1);
    worstError = Math.max(
      worstError,
      ...errorsOf(tensors!, t.name, dequantise(t, proved), weights, inputs, adapter.description.modules),
    );
  }
  return { modules: adapter.description.modules.length, proofBytes, worstError };
}

const wantedInputs = (program: TensorProgram) =>
  program.tensors
    .filter((t) => t.role === 'input' && t.visibility === 'public')
    .map((t) => ({ name: t.name, shape: t.shape, type: t.type! }));

function interpretOn(
  program: TensorProgram,
  weights: WeightMap,
  inputs: ReadonlyMap<string, Float64Array>,
): ReturnType<typeof interpret> {
  const given = program.tensors
    .filter((t) => t.role === 'input')
    .map((t) => {
      const floats = t.file ? t.file.names.flatMap((n) => Array.from(weights.get(n)!.values)) : inputs.get(t.name)!;
      return [
        t.id,
        { shape: t.shape, values: Array.from(quantise(t.name, t.shape, t.type!, floats), BigInt) },
      ] as const;
    });
  return interpret(program, new Map(given));
}

/** For each module of a stacked output: the largest difference from float64 x·Aᵀ·Bᵀ·scaling over its largest entry. */
function errorsOf(
  program: TensorProgram,
  output: string,
  proved: Float64Array,
  weights: WeightMap,
  inputs: ReadonlyMap<string, Float64Array>,
  modules: readonly { path: string; inputs: number; outputs: number; rank: number; alpha: number; rslora: boolean }[],
): number[] {
  const prefix = output.slice(0, output.length - 'delta'.length);
  const a = program.tensors.find((t) => t.name === `${prefix}A`)!;
  const x = inputs.get(`${prefix}x`)!;
  const rows = program.tensors.find((t) => t.name === `${prefix}x`)!.shape.at(-2)!;
  return a.file!.names.map((name, l) => {
    const m = modules.find((k) => name.startsWith(`${k.path}.`))!;
    const scaling = m.rslora ? m.alpha / Math.sqrt(m.rank) : m.alpha / m.rank;
    const [A, B] = [weights.get(name)!.values, weights.get(name.replace('lora_A', 'lora_B'))!.values];
    let [worst, largest] = [0, 0];
    for (let t = 0; t < rows; t++) {
      const row = x.subarray((l * rows + t) * m.inputs, (l * rows + t + 1) * m.inputs);
      const u = Array.from({ length: m.rank }, (_, r) => row.reduce((s, v, i) => s + v * A[r * m.inputs + i], 0));
      for (let o = 0; o < m.outputs; o++) {
        const exact = scaling * u.reduce((s, v, r) => s + v * B[o * m.rank + r], 0);
        worst = Math.max(worst, Math.abs(exact - proved[(l * rows + t) * m.outputs + o]));
        largest = Math.max(largest, Math.abs(exact));
      }
    }
    return worst / largest;
  });
}
