/** A device that adds up how long each of its operations takes: the phases of a proof, as far as devices see them. */
import type { Device } from '../../runtime/device/device.ts';

export interface TimedDevice {
  readonly device: Device;
  /** Milliseconds by operation since the last call. */
  take(): Map<string, number>;
}

export function timed(inner: Device): TimedDevice {
  let times = new Map<string, number>();
  const record = (name: string, since: number): void => {
    times.set(name, (times.get(name) ?? 0) + performance.now() - since);
  };
  const device = new Proxy(inner, {
    get(target, name: keyof Device): unknown {
      const member = target[name] as unknown;
      if (typeof member !== 'function') return member;
      const call = (member as (...args: unknown[]) => unknown).bind(target);
      if (name === 'exclusive' || name === 'scope' || name === 'keep') return call;
      return (...args: unknown[]): unknown => {
        const since = performance.now();
        const result = call(...args);
        if (result instanceof Promise) return result.finally(() => record(name, since));
        record(name, since);
        return result;
      };
    },
  });
  return {
    device,
    take() {
      const taken = times;
      times = new Map();
      return taken;
    },
  };
}
