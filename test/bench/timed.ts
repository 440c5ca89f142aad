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
    get(target, name: string & keyof Device) {
      const member: unknown = target[name];
      if (typeof member !== 'function' || name === 'scope' || name === 'keep')
        return typeof member === 'function' ? member.bind(target) : member;
      return (...args: unknown[]): unknown => {
        const since = performance.now();
        const result: unknown = member.apply(target, args);
        if (!(result instanceof Promise)) {
          record(name, since);
          return result;
        }
        return result.finally(() => record(name, since));
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
