import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProgress } from '../../../apps/command/show/progress.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

test('what takes less than a second says nothing', async () => {
  const lines: string[] = [];
  const progress = createProgress((line) => lines.push(line));
  await progress.phase('prove', (report) => {
    vi.advanceTimersByTime(500);
    report(0.5, 'lookups');
    vi.advanceTimersByTime(400);
  });
  expect(lines).toEqual([]);
  expect(progress.times.get('prove')).toBe(900);
});

test('a long phase says what it is at, how much is done and what is left, every two seconds', async () => {
  const lines: string[] = [];
  const progress = createProgress((line) => lines.push(line));
  await progress.phase('prove', (report) => {
    report(0, 'evaluate');
    vi.advanceTimersByTime(3000);
    report(0.25, 'commit');
    vi.advanceTimersByTime(1000);
    report(0.3, 'lookups');
    vi.advanceTimersByTime(2000);
    report(0.5, 'lookups');
    vi.advanceTimersByTime(6000);
    report(1, 'close');
  });
  expect(lines).toEqual([
    'prove ...',
    'prove: commit, 25%, about 9.0 s left',
    'prove: lookups, 50%, about 6.0 s left',
    'prove: 12.0 s',
  ]);
});

test('what comes before the first report does not count', async () => {
  const lines: string[] = [];
  const progress = createProgress((line) => lines.push(line));
  await progress.phase('prove', (report) => {
    vi.advanceTimersByTime(60_000);
    report(0.1, 'evaluate');
    vi.advanceTimersByTime(4000);
    report(0.5, 'lookups');
  });
  expect(lines).toEqual(['prove ...', 'prove: lookups, 50%, about 5.0 s left', 'prove: 64.0 s']);
});

test('a phase whose parts are not known says that it goes on', async () => {
  const lines: string[] = [];
  const progress = createProgress((line) => lines.push(line));
  const phase = progress.phase('read', () => new Promise((resolve) => setTimeout(resolve, 1500)));
  await vi.advanceTimersByTimeAsync(1500);
  await phase;
  expect(lines).toEqual(['read ...', 'read: 1.5 s']);
});
