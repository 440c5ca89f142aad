/**
 * Lifetimes of device vectors, the same for every device: what is made belongs to the innermost open scope and is freed with it.
 */
export class Scopes<R> {
  readonly #open: R[][] = [[]];
  readonly #free: (resource: R) => void;

  constructor(free: (resource: R) => void) {
    this.#free = free;
  }

  /** Registers a resource with the innermost scope. */
  own(resource: R): void {
    this.#open.at(-1)!.push(resource);
  }

  async scope<T>(body: () => Promise<T>): Promise<T> {
    const mine: R[] = [];
    this.#open.push(mine);
    try {
      return await body();
    } finally {
      this.#close(mine);
      this.#freeAll(mine);
    }
  }

  async keep<T>(body: () => Promise<T>): Promise<{ readonly value: T; release(): void }> {
    const mine: R[] = [];
    this.#open.push(mine);
    try {
      const value = await body();
      this.#close(mine);
      return { value, release: () => this.#freeAll(mine.splice(0)) };
    } catch (error) {
      this.#close(mine);
      this.#freeAll(mine);
      throw error;
    }
  }

  #close(mine: R[]): void {
    if (this.#open.pop() !== mine)
      throw new Error('scopes must be closed in the reverse order of opening: await each one');
  }

  #freeAll(resources: readonly R[]): void {
    for (const resource of resources) this.#free(resource);
  }
}
