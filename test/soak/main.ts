/**
 * Checks for as long as one likes: `npm run soak -- --minutes 10 --seed 1`. Random programs, functions and LoRA adapters go through the
 * kit's whole check, and random bytes of their files are changed. Each round prints its seed; `--rounds 1 --seed S` repeats one.
 * `--device webgpu` has a GPU make the same bytes, `--swiftshader` one in software.
 */
import fc from 'fast-check';
import { parseArgs } from 'node:util';
import type { Device } from '../../runtime/device/device.ts';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import { createWasmDevice } from '../../runtime/device/wasm/index.ts';
import { createWebGpuDevice } from '../../runtime/device/webgpu/index.ts';
import { requestNodeAdapter } from '../../runtime/device/webgpu/node.ts';
import { createVerifier } from '../../runtime/verifier/index.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw } from '../kit/draw.ts';
import { functionProgram } from '../kit/functions.ts';
import { checkGadget } from '../kit/index.ts';
import { programs } from '../kit/programs.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';
import { useSoftwareGpu } from '../support/swiftshader.ts';
import { makeFiles, text, verifierFor } from '../soundness/fixture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    device: { type: 'string', default: 'wasm' },
    swiftshader: { type: 'boolean', default: false },
  },
});
const [first, rounds] = [Number(values.seed), values.rounds === undefined ? Infinity : Number(values.rounds)];
const end = Date.now() + 60_000 * Number(values.minutes);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const device = await testDevice();
const reference = createReferenceDevice();
/** A further device that has to agree, with next to nothing left to its host. */
const gpu = values.device === 'webgpu' ? await openGpu() : undefined;
const others = gpu ? [gpu] : [];

async function openGpu(): Promise<Device> {
  if (values.swiftshader) await useSoftwareGpu();
  const adapter = await requestNodeAdapter({ software: values.swiftshader });
  if (!adapter)
    throw new Error('no GPU answers: `npm run zkl -- doctor` says why; --swiftshader takes one in software');
  return createWebGpuDevice({ adapter, host: await createWasmDevice({ threads: 1 }), hostBelow: 16 });
}

let failures = 0;
const fail = (seed: number, what: string): void => {
  failures++;
  say(`seed ${seed}: ${what}`);
};

async function gadgets(seed: number): Promise<void> {
  const [program] = fc.sample(programs(), { seed, numRuns: 1 });
  const devices = [device, ...others, ...(seed % 10 === 0 ? [reference] : [])];
  const report = await checkGadget(program, { devices, seed, samples: 12, statements: 2 });
  if (!report.ok) fail(seed, report.text);
}

async function functions(seed: number): Promise<void> {
  // Some are refused, and some have no inputs for which all values exist.
  const subject = await createSubject(functionProgram(new Draw('soak', seed))).catch(() => undefined);
  if (!subject) return;
  try {
    drawInputs(subject, seed);
  } catch {
    return;
  }
  const report = await checkGadget(subject.program, { devices: [device], seed, samples: 6, statements: 1 });
  if (!report.ok) fail(seed, report.text);
}

async function adapters(seed: number): Promise<void> {
  const report = await checkGadget(text(1 + (seed % 9)), {
    devices: [device, ...others],
    seed,
    samples: 40,
    statements: 2,
  });
  if (!report.ok) fail(seed, report.text);
}

/** 500 changes of one to four bytes each, of a proof and of a commitment. */
async function files(seed: number): Promise<void> {
  const made = await makeFiles(device, text(1 + (seed % 9)), seed);
  const verifier = await verifierFor(device, made);
  const fresh = await createVerifier(made.bundleBytes, { device });
  const draw = new Draw('soak', seed);
  for (let i = 0; i < 500; i++)
    for (const [what, bytes, check] of [
      ['proof', made.proof, verifier.verify],
      ['commitment', made.commitment, fresh.register],
    ] as const) {
      const bad = bytes.slice();
      for (let n = 1 + draw.below(4); n > 0; n--) bad[draw.below(bad.length)] = draw.below(256);
      if (bad.every((b, k) => b === bytes[k])) continue;
      if ((await check(bad)).ok) fail(seed, `change ${i} of the ${what} was accepted`);
    }
  verifier.close();
}

let round = 0;
for (; round < rounds && Date.now() < end; round++) {
  const seed = first + round;
  const [name, run] = (
    [
      ['programs', gadgets],
      ['functions', functions],
      ['programs', gadgets],
      ['functions', functions],
      ['adapters', adapters],
      ['files', files],
    ] as const
  )[round % 6];
  try {
    await run(seed);
  } catch (e) {
    fail(seed, `${name} threw: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
  }
  if (round % 20 === 19) say(`${round + 1} rounds, seeds ${first} to ${seed}, ${failures} failures`);
}
say(`${round} rounds, seeds ${first} to ${first + round - 1}, ${failures} failures`);
await device.close();
await gpu?.close();
process.exitCode = failures === 0 ? 0 : 1;
