/**
 * Lifetimes of device vectors, the same for every device: what is made belongs to the innermost open scope and is freed with it.
 * One body at a time: see `turns.ts`.
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
      this.#end(mine);
    }
  }

  async keep<T>(body: () => Promise<T>): Promise<{ readonly value: T; release(): void }> {
    const mine: R[] = [];
    this.#open.push(mine);
    let kept = false;
    try {
      const value = await body();
      kept = this.#close(mine);
      if (!kept) throw disorder();
      return { value, release: () => this.#freeAll(mine.splice(0)) };
    } finally {
      if (!kept) this.#end(mine);
    }
  }

  /** Takes a scope off, wherever it lies, so that those after it stay in order. Whether it was the innermost. */
  #close(mine: R[]): boolean {
    const at = this.#open.lastIndexOf(mine);
    if (at < 0) return true;
    this.#open.splice(at, 1);
    return at === this.#open.length;
  }

  #end(mine: R[]): void {
    const innermost = this.#close(mine);
    this.#freeAll(mine);
    if (!innermost) throw disorder();
  }

  #freeAll(resources: readonly R[]): void {
    for (const resource of resources) this.#free(resource);
  }
}

/** Two bodies have run at once, and what each made may belong to the other's scope. */
const disorder = (): Error =>
  new Error(
    'scopes must be closed in the reverse order of opening: await each one, and run what may overlap within `exclusive`',
  );
