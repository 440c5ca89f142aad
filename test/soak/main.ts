/**
 * Checks for as long as one likes: `npm run soak -- --minutes 10 --seed 1`. Random programs, functions and LoRA adapters go through the
 * kit's whole check, random blocks of the standard library and programs of twenty equations are proved on all devices, and random bytes
 * of their files are changed. Each failure has its seed: `--rounds 1 --seed S` repeats it. `--only KIND` leaves out other kinds.
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
import { resolveImport } from '../compiler/standard.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw } from '../kit/draw.ts';
import { functionProgram } from '../kit/functions.ts';
import { checkGadget } from '../kit/index.ts';
import { programs } from '../kit/programs.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';
import { useSoftwareGpu } from '../support/swiftshader.ts';
import { blocks, calibrationOf, modelOf, shapes } from '../stdlib/blocks.ts';
import { makeFiles, text, verifierFor } from '../soundness/fixture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    device: { type: 'string', default: 'wasm' },
    swiftshader: { type: 'boolean', default: false },
    only: { type: 'string' },
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
let kind = '';
const fail = (seed: number, what: string): void => {
  failures++;
  say(`${kind}, seed ${seed}: ${what}`);
};

async function gadgets(seed: number): Promise<void> {
  const [program] = fc.sample(programs(), { seed, numRuns: 1 });
  const devices = [device, ...others, ...(seed % 10 === 0 ? [reference] : [])];
  const report = await checkGadget(program, { devices, seed, samples: 12, statements: 2 });
  if (!report.ok) fail(seed, report.text);
}

const agreement = { devices: [device, reference, ...others], samples: 0, statements: 1 };

async function large(seed: number): Promise<void> {
  const [program] = fc.sample(programs({ equations: 20 }), { seed, numRuns: 1 });
  const report = await checkGadget(program, { ...agreement, seed });
  if (!report.ok) fail(seed, report.text);
}

/** One to three blocks of the standard library. */
async function library(seed: number): Promise<void> {
  const drawn = fc.tuple(shapes, fc.subarray(Object.keys(blocks), { minLength: 1, maxLength: 3 }));
  const [[shape, names]] = fc.sample(drawn, { seed, numRuns: 1 });
  const text = modelOf(names, shape);
  const calibration = calibrationOf(text, { bits: 10, frac: 4 });
  const report = await checkGadget(text, { ...agreement, resolveImport, calibration, seed });
  if (!report.ok) fail(seed, `${names.join(', ')} at ${JSON.stringify(shape)}: ${report.text}`);
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
  const report = await checkGadget(subject.program, { devices: [device, ...others], seed, samples: 6, statements: 1 });
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

/** Cheap ones more often: a program of twenty equations takes twenty times what a small one does. */
const kinds = [
  ['programs', gadgets],
  ['functions', functions],
  ['programs', gadgets],
  ['functions', functions],
  ['adapters', adapters],
  ['files', files],
  ['large', large],
  ['library', library],
] as const;
const chosen = kinds.filter(([name]) => values.only === undefined || name === values.only);
if (chosen.length === 0) throw new Error(`--only is one of ${[...new Set(kinds.map(([name]) => name))].join(', ')}`);

const counts = new Map<string, number>();
let round = 0;
for (; round < rounds && Date.now() < end; round++) {
  const seed = first + round;
  const [name, run] = chosen[seed % chosen.length];
  kind = name;
  counts.set(name, (counts.get(name) ?? 0) + 1);
  try {
    await run(seed);
  } catch (e) {
    fail(seed, `threw: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
  }
  if (round % 20 === 19) say(`${round + 1} rounds, seeds ${first} to ${seed}, ${failures} failures`);
}
say(`${round} rounds, seeds ${first} to ${first + round - 1}, ${failures} failures`);
say([...counts].map(([name, count]) => `${name} ${count}`).join(', '));
await device.close();
await gpu?.close();
process.exitCode = failures === 0 ? 0 : 1;
