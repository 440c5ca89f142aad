/**
 * What a verifier's estimate is worth: `node test/bench/verifier.ts [NAME]` prints for real and hostile programs what the estimate says
 * and what verifying takes, each in a process of its own.
 */
import { execFileSync } from 'node:child_process';
import { readGadgetProgram } from '../../compiler/bundle/read.ts';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { encode, type Plain } from '../../compiler/bundle/canonical.ts';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { createWasmDevice } from '../../runtime/device/wasm/index.ts';
import { planWithin } from '../../runtime/verifier/budget.ts';
import { bundleOf, text } from '../soundness/fixture.ts';
import * as hostile from '../support/hostile.ts';
import { prepareModel, storiesShape } from './models.ts';

const programs: Readonly<Record<string, () => GadgetProgram | Promise<GadgetProgram>>> = {
  adapter: () => decodeBundle(bundleOf(text(3))).gadgets,
  stories: async () => decodeBundle((await prepareModel(storiesShape(32))).bundle).gadgets,
  partlyFilled: () => hostile.partlyFilled(40, 7, 2),
  manyOpenings: () => hostile.manyOpenings(60, 1024),
  wideViews: () => hostile.wideViews(60, 256),
  hiddenViews: () => hostile.hiddenViews(60, 256),
  manyMasks: () => hostile.manyMasks(60, 256),
  manySummands: () => hostile.manySummands(160),
};

const name = process.argv[2];
if (name === undefined)
  for (const each of Object.keys(programs))
    process.stdout.write(execFileSync(process.execPath, [import.meta.filename, each]));
else {
  const program = await programs[name]();
  const bare = (x: object): object => ({ ...x, span: undefined });
  const size = encode({
    ...program,
    tensors: program.tensors.map(bare),
    equations: program.equations.map(bare),
  } as unknown as Plain).length;
  if (!['adapter', 'stories'].includes(name)) readGadgetProgram(structuredClone(program));
  const device = await createWasmDevice({ threads: 1 });
  await device.prepareGenerators(Math.max(256, program.columns) + 1);
  await hostile.verifyFalsely(device, decodeBundle(bundleOf(text(3))).gadgets);
  const start = performance.now();
  const { milliseconds, bytes } = await planWithin(program, { milliseconds: 1e9, bytes: 1e15 });
  const planned = performance.now() - start;
  const before = process.memoryUsage();
  const since = process.cpuUsage();
  await hostile.verifyFalsely(device, program);
  const { user, system } = process.cpuUsage(since);
  const took = (user + system) / 1000;
  const grown = 1024 * process.resourceUsage().maxRSS - before.rss;
  const say = (ms: number, b: number): string =>
    `${ms.toFixed(0).padStart(7)} ms ${(b / 1e6).toFixed(0).padStart(6)} MB`;
  process.stdout.write(
    `${name.padEnd(16)} ${String(size).padStart(8)} bytes  estimate ${say(milliseconds, bytes)}  took ${say(took, grown)}  planned in ${planned.toFixed(0)} ms  ${(milliseconds / took).toFixed(2)} x\n`,
  );
  await device.close();
}
