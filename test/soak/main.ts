/**
 * Checks for as long as one likes: `npm run soak -- --minutes 10 --seed 1`. Random programs, functions and LoRA adapters go through the
 * kit's whole check, random blocks of the standard library and programs of twenty equations are proved on all devices, random bytes
 * of their files are changed, whole steps of random training are proved, and runs are killed (`--kills N` times). Each failure has its seed: `--rounds 1 --seed S` repeats it. `--only KIND` leaves out other kinds.
 * `--device webgpu` has a GPU make the same bytes, `--swiftshader` one in software.
 */
import fc from 'fast-check';
import { parseArgs } from 'node:util';
import { decodeBundle, encodeBundle } from '../../compiler/bundle/bundle.ts';
import { CodecError, decode, encode, type Plain } from '../../compiler/bundle/canonical.ts';
import { pack, unpack } from '../../compiler/bundle/container.ts';
import type { Device } from '../../runtime/device/device.ts';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import { createWasmDevice } from '../../runtime/device/wasm/index.ts';
import { createWebGpuDevice } from '../../runtime/device/webgpu/index.ts';
import { requestNodeAdapter } from '../../runtime/device/webgpu/node.ts';
import { bytesSource } from '../../models/files/source.ts';
import { FormatError } from '../../models/files/errors.ts';
import { readSafetensors } from '../../models/files/safetensors.ts';
import { writeSafetensors } from '../../models/files/safetensors-writer.ts';
import { BudgetError, createVerifier } from '../../runtime/verifier/index.ts';
import { resolveImport } from '../compiler/standard.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw } from '../kit/draw.ts';
import { functionProgram } from '../kit/functions.ts';
import { checkGadget } from '../kit/index.ts';
import { programs } from '../kit/programs.ts';
import { withOutputs } from '../kit/taken.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';
import { mutated } from '../support/mutate.ts';
import { useSoftwareGpu } from '../support/swiftshader.ts';
import { blocks, calibrationOf, modelOf, shapes } from '../stdlib/blocks.ts';
import { calibrationOf as gradientsOf, steps } from '../gradient/steps.ts';
import { killedRuns } from './run.ts';
import { bundleOf, makeFiles, text, verifierFor } from '../soundness/fixture.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string' },
    device: { type: 'string', default: 'wasm' },
    swiftshader: { type: 'boolean', default: false },
    only: { type: 'string' },
    kills: { type: 'string' },
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
  const [drawn] = fc.sample(programs(), { seed, numRuns: 1 });
  const program = (seed % 2 === 0 ? withOutputs(drawn, 24) : undefined) ?? drawn;
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

/** A bundle with up to three fields changed: refused, or a program that a verifier has the means for. */
async function changedBundles(seed: number): Promise<void> {
  const draw = new Draw('bundles', seed);
  const [drawn] = fc.sample(programs(), { seed, numRuns: 1 });
  const program = (draw.below(2) === 0 ? withOutputs(drawn, 16) : undefined) ?? drawn;
  const { gadgets } = draw.below(2) === 0 ? await createSubject(program) : decodeBundle(bundleOf(text(1 + (seed % 9))));
  const empty = { tensors: '', kernels: '', sources: [] };
  const { GADG, ...rest } = unpack('b', ['GADG', 'SPAN', 'TENS', 'KERN', 'SRCE'], encodeBundle({ gadgets, ...empty }));
  const plain = decode(GADG);
  for (let i = 0; i < 200; i++) {
    let section: Uint8Array;
    try {
      section = encode(mutated(plain, draw));
    } catch (e) {
      if (e instanceof CodecError) continue;
      throw e;
    }
    const start = performance.now();
    try {
      (await createVerifier(pack('b', { GADG: section, ...rest }), { device })).close();
    } catch (e) {
      if (!(e instanceof CodecError || e instanceof BudgetError)) throw e;
    }
    if (performance.now() - start > 10_000) fail(seed, `change ${i} of the bundle took more than 10 seconds`);
  }
}

/** A safetensors header and a JSON file with fields or bytes changed: read, or a FormatError. */
async function changedHeaders(seed: number): Promise<void> {
  const draw = new Draw('headers', seed);
  const shape = [1 + draw.below(4), 1 + draw.below(4)];
  const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => i);
  const tensors = new Map(
    [['a', 'F32'] as const, ['b', 'BF16'] as const].map(([n, dtype]) => [n, { dtype, shape, values }]),
  );
  const bytes = writeSafetensors(tensors);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Plain;
  for (let i = 0; i < 200; i++) {
    const json: string | undefined = JSON.stringify(mutated(header, draw), (_, v: unknown) =>
      typeof v === 'bigint' ? Number(v) : v,
    );
    if (json === undefined) continue;
    const head = new TextEncoder().encode(draw.below(4) === 0 ? json.slice(draw.below(json.length)) : json);
    const bad = new Uint8Array(8 + head.length + bytes.length - 8 - length);
    new DataView(bad.buffer).setBigUint64(0, BigInt(head.length), true);
    bad.set(head, 8);
    bad.set(bytes.subarray(8 + length), 8 + head.length);
    try {
      const file = await readSafetensors(bytesSource('f', bad));
      for (const name of file.tensors.keys()) await file.readFloats(name);
    } catch (e) {
      if (!(e instanceof FormatError)) throw e;
    }
  }
}

/** 500 changes of one to four bytes each, of a proof and of a commitment; and of what else comes from strangers. */
async function files(seed: number): Promise<void> {
  await changedBundles(seed);
  await changedHeaders(seed);
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

async function trainSteps(seed: number): Promise<void> {
  const [text] = fc.sample(steps(), { seed, numRuns: 1 });
  const options = { devices: [device, ...others], calibration: gradientsOf(text), samples: 6, statements: 1, seed };
  const report = await checkGadget(text, options);
  if (!report.ok) fail(seed, report.text);
}

/** Alone, at as many moments as show whether one of them matters. */
const kills = Number(values.kills ?? (values.only === 'run' ? 50 : 3));

const runs = (seed: number): Promise<void> =>
  killedRuns(kills, new Draw('kills', seed), (what) => void fail(seed, what), say);

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
  ['steps', trainSteps],
  ['run', runs],
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
