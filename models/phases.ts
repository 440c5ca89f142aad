/** The parts of a step that takes its time, for callers that say or measure how far it is. */

/** Says how much of a part is done, from 0 to 1, and what it is at. */
export type ReportPart = (done: number, what: string) => void;

/** Runs a part of a step; `name` is what it does, in words. */
export type RunPhase = <T>(name: string, body: (report: ReportPart) => T | Promise<T>) => T | Promise<T>;

export const runAtOnce: RunPhase = (_, body) => body(() => undefined);
