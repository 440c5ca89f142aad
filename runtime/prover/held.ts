/** Vectors that outlive the scope they are made in: until each is released, or all are. */
import type { Device } from '../device/device.ts';

export interface HeldValue<T> {
  readonly value: T;
  release(): void;
}

/** A proof needs more than fits at once if nothing is freed before its end; nothing may be left over if it fails. */
export class Held {
  readonly #device: Device;
  readonly #open = new Set<() => void>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** What `body` makes, its intermediate vectors included, lives until it is released. */
  async make<T>(body: () => T | Promise<T>): Promise<HeldValue<T>> {
    const kept = await this.#device.keep(async () => body());
    const release = (): void => {
      if (this.#open.delete(release)) kept.release();
    };
    this.#open.add(release);
    return { value: kept.value, release };
  }

  releaseAll(): void {
    for (const release of [...this.#open]) release();
  }
}
