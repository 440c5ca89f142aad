/** The phases of a command: timed, and shown on stderr where one takes longer than a second. */
import { duration } from './text.ts';

/** Says how much of a phase is done, from 0 to 1, and what it is at. */
export type Report = (done: number, what: string) => void;

export interface Progress {
  phase<T>(name: string, body: (report: Report) => T | Promise<T>): Promise<T>;
  /** For work inside a phase that only some runs have: to be told how much of it is done. */
  part(what: string): (done: number, of: number) => void;
  /** A line for people, on stderr; `coloured`: with colours of ours, and nothing else that a terminal would act on. */
  note(text: string, coloured?: boolean): void;
  /** Milliseconds by phase, in order. */
  readonly times: ReadonlyMap<string, number>;
}

const PATIENCE = 1000;
/** Between two lines of one phase. */
const INTERVAL = 2000;

export function createProgress(write: (line: string, coloured?: boolean) => void): Progress {
  const times = new Map<string, number>();
  return {
    times,
    note: write,
    part(what) {
      let start: number | undefined;
      let last = 0;
      return (done, of) => {
        const now = performance.now();
        start ??= now;
        if (now - start < PATIENCE || now - last < INTERVAL || done >= of) return;
        last = now;
        write(
          `${what}: ${Math.floor((100 * done) / of)}%, about ${duration(((now - start) * (of - done)) / done)} left`,
        );
      };
    },
    async phase(name, body) {
      const start = performance.now();
      let said = false;
      const timer = setTimeout(() => {
        if (!said) write(`${name} ...`);
      }, PATIENCE);
      timer.unref();
      let last = start;
      let first: { readonly now: number; readonly done: number } | undefined;
      // Called by work that leaves timers no turn: it writes by itself.
      const report: Report = (done, what) => {
        const now = performance.now();
        // What comes before the first report is no measure for what is left.
        first ??= { now, done };
        if (now - start < PATIENCE || now - last < INTERVAL || done <= first.done || done >= 1) return;
        [last, said] = [now, true];
        const left = ((now - first.now) * (1 - done)) / (done - first.done);
        write(`${name}: ${what}, ${Math.floor(100 * done)}%, about ${duration(left)} left`);
      };
      try {
        return await body(report);
      } finally {
        clearTimeout(timer);
        const time = performance.now() - start;
        times.set(name, (times.get(name) ?? 0) + time);
        if (time >= PATIENCE) write(`${name}: ${duration(time)}`);
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
