/** Operations of the WebGPU device on points. */
import type { Device } from '../device.ts';
import * as check from '../shapes.ts';
import type { Store } from './store.ts';

type PointOperations = Pick<Device, 'decodePoints' | 'generators' | 'msm' | 'prepareGenerators' | 'commit'>;

export function pointOperations(store: Store): PointOperations {
  const { host } = store;
  return {
    decodePoints: (bytes) => host.decodePoints(bytes),
    generators: (count) => host.generators(count),
    prepareGenerators: (count) => host.prepareGenerators(count),

    async msm(parts) {
      check.checkMsm(parts);
      await store.bringToHost(parts.map((p) => p.scalars));
      return host.msm(parts.map(({ points, scalars }) => ({ points, scalars: store.hostOf(scalars) })));
    },

    async commit(rows) {
      for (const row of rows) check.checkSlice('commit', row.offset, row.length, row.vector.length);
      await store.bringToHost(rows.map((row) => row.vector));
      return host.commit(rows.map((row) => ({ ...row, vector: store.hostOf(row.vector) })));
    },
  };
}
