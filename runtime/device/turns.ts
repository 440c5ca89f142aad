/**
 * Turns at a device, the same for every device: whole calls of the library run one after the other, in the order in which they were made.
 */
interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

export class Turns {
  readonly #waiting: Waiting[] = [];
  #taken = false;
  #closed = false;

  /** Runs `body` when those that came before are done: at once, before this returns, where there are none. @throws Error once closed */
  async exclusive<T>(body: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    if (this.#taken) await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#taken = true;
    try {
      // Since this one was told that it is next, somebody may have closed the device.
      if (this.#closed) throw closedError();
      return await body();
    } finally {
      // The turn is handed on, not given up: nobody who comes now gets in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#taken = false;
      else next.resolve();
    }
  }

  /** Ends the calls that wait, and those to come, with an error. The one that has its turn goes on. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
  }
}

/** What calls on a closed device end with. */
export const closedError = (): Error => new Error('the device is closed');
