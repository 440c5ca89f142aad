/** The phases of a command: timed, and shown on stderr where one takes longer than a second. */
import { duration } from './text.ts';

export interface Progress {
  phase<T>(name: string, body: () => T | Promise<T>): Promise<T>;
  /** A line for people, on stderr. */
  note(text: string): void;
  /** Milliseconds by phase, in order. */
  readonly times: ReadonlyMap<string, number>;
}

const patience = 1000;

export function createProgress(write: (line: string) => void): Progress {
  const times = new Map<string, number>();
  return {
    times,
    note: write,
    async phase(name, body) {
      const start = performance.now();
      const timer = setTimeout(() => write(`${name} ...`), patience);
      timer.unref();
      try {
        return await body();
      } finally {
        clearTimeout(timer);
        const time = performance.now() - start;
        times.set(name, (times.get(name) ?? 0) + time);
        if (time >= patience) write(`${name}: ${duration(time)}`);
      }
    },
  };
}

/** The phases as a line, without those too short to matter. */
export const phaseLine = (times: ReadonlyMap<string, number>): string =>
  [...times].map(([name, time]) => `${name} ${duration(time)}`).join(', ');

/** For `--json`: milliseconds, to the microsecond. */
export const phaseTimes = (times: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...times].map(([name, time]) => [name, Math.round(time * 1000) / 1000]));
