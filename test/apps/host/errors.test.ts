/** What goes wrong on a machine is data, so that a program without a command line can tell one thing from another. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HostError } from '../../../apps/host/errors.ts';
import { openSource, readInput } from '../../../apps/host/files/read.ts';
import { inDirectory, writeOutputs } from '../../../apps/host/files/write.ts';
import { checkOutput, kinds } from '../../../apps/host/outputs.ts';
import { filesBelow } from '../../../apps/host/walk.ts';
import { isModel } from '../../../apps/host/weights.ts';
import { testWorkplace } from '../command/run.ts';

test('errors of the host say what happened, where, and what to do', async () => {
  const { path } = testWorkplace();
  const [file, folder, none] = ['file', 'folder', 'none'].map((name) => join(path, name));
  writeFileSync(file, 'text');
  mkdirSync(folder);
  const attempts: readonly (readonly [() => unknown, HostError['problem']])[] = [
    [() => readInput(none, 'the bundle'), { kind: 'system', path: none, system: 'ENOENT' }],
    [() => readInput(file, 'the bundle', 3), { kind: 'large', path: file, most: 3 }],
    [() => openSource(folder, 'the weights'), { kind: 'place', path: folder }],
    [() => filesBelow(none, '.zkl'), { kind: 'system', path: none, system: 'ENOENT' }],
    [() => inDirectory(file, async () => undefined), { kind: 'place', path: file }],
    [() => isModel(folder), { kind: 'place', path: folder }],
    [() => checkOutput(file, kinds.proof, []), { kind: 'replaces', path: file }],
    [() => checkOutput(file, kinds.proof, [file]), { kind: 'replaces', path: file }],
    [() => checkOutput(join(none, 'x'), kinds.proof, []), { kind: 'place', path: none }],
    [() => writeOutputs([{ path: file, bytes: '', exclusive: true }]), { kind: 'replaces', path: file }],
  ];
  for (const [attempt, problem] of attempts) {
    const error: unknown = await (async () => attempt())().then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(HostError);
    expect(error).toMatchObject({ name: 'HostError', code: 'ZKL_HOST', problem });
    const { message, remedy } = error as HostError;
    expect(message).toContain('path' in problem ? problem.path : '');
    expect(remedy).toMatch(/^[a-z]/);
  }
});
