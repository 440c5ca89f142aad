/** The parts of a step that takes its time, for callers that say or measure how far it is. */

/** Runs a part of a step; `name` is what it does, in words. */
export type RunPhase = <T>(name: string, body: () => T) => T | Promise<T>;

export const runAtOnce: RunPhase = (_, body) => body();
