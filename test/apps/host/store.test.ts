/** A run's directory: one process at a time writes, whatever those before it left. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withRunDirectory } from '../../../apps/host/files/store.ts';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'zkl-run-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const secret = (): string => join(place, 'run', 'private');

test('of many that begin at once none is there beside another', async () => {
  let [inside, most, done] = [0, 0, 0];
  const one = () =>
    withRunDirectory(join(place, 'run'), async () => {
      most = Math.max(most, ++inside);
      await setTimeout(1);
      inside--;
      done++;
    });
  const ended = await Promise.allSettled(Array.from({ length: 12 }, one));
  expect(most).toBe(1);
  for (const end of ended)
    if (end.status === 'rejected') expect((end.reason as Error).message).toMatch(/^the process \d+ is at work on /);
  await one();
  expect(done).toBe(ended.filter(({ status }) => status === 'fulfilled').length + 1);
  expect(readdirSync(secret())).toEqual([]);
});

test('what processes left that were killed is in nobody’s way, and what one has that lives is', async () => {
  mkdirSync(secret(), { recursive: true });
  const lock = (pid: number): string => join(secret(), `lock.${pid}.${'a'.repeat(12)}`);
  // Beyond the numbers of processes; and this process's own, before it was started anew.
  for (const gone of [2 ** 30, process.pid]) writeFileSync(lock(gone), '');
  await withRunDirectory(join(place, 'run'), async () => expect(readdirSync(secret())).toHaveLength(1));
  expect(readdirSync(secret())).toEqual([]);
  writeFileSync(lock(process.ppid), '');
  await expect(withRunDirectory(join(place, 'run'), async () => undefined)).rejects.toThrow(
    `the process ${process.ppid} is at work on ${join(place, 'run')}`,
  );
  expect(readdirSync(secret())).toHaveLength(1);
});

test('only what is secret is for its owner alone', async () => {
  await withRunDirectory(join(place, 'some', 'run'), async (store) =>
    store.write([{ name: 'steps/000000.zkp', bytes: new Uint8Array(1) }]),
  );
  const mode = (path: string): number => statSync(join(place, path)).mode & 0o777;
  expect(mode('some/run/private')).toBe(0o700);
  for (const path of ['some', 'some/run', 'some/run/steps']) expect(mode(path), path).toBe(0o777 & ~process.umask());
});
