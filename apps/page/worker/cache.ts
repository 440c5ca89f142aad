/** What the browser keeps between visits: commitment generators, checked against a digest in the code, and what was measured of the GPU. */
import type { GeneratorCache } from '../../../runtime/curve/generators.ts';
import type { VariantCache } from '../../../runtime/device/webgpu/index.ts';

const PLACE = 'zkl';

interface Store {
  load(name: string): Promise<Uint8Array | undefined>;
  store(name: string, bytes: Uint8Array): Promise<void>;
}

/** Without a place to keep things (private windows, insecure contexts) they are computed anew each time. */
function openStore(): Store | undefined {
  // Absent outside secure contexts, whatever the types say.
  const storage = globalThis.caches as CacheStorage | undefined;
  if (!storage) return undefined;
  const quietly = async <T>(body: (cache: Cache) => Promise<T>): Promise<T | undefined> => {
    try {
      return await body(await storage.open(PLACE));
    } catch {
      return undefined;
    }
  };
  const path = (name: string): string => `/${encodeURIComponent(name)}`;
  return {
    load: (name) =>
      quietly(async (cache) => {
        const kept = await cache.match(path(name));
        return kept && new Uint8Array(await kept.arrayBuffer());
      }),
    store: async (name, bytes) => {
      await quietly((cache) => cache.put(path(name), new Response(bytes.slice())));
    },
  };
}

export const generatorCache = (): GeneratorCache | undefined => openStore();

export function calibrationCache(): VariantCache | undefined {
  const store = openStore();
  return (
    store && {
      load: async (key) => {
        const kept = await store.load(key);
        return kept && new TextDecoder().decode(kept);
      },
      store: (key, value) => store.store(key, new TextEncoder().encode(value)),
    }
  );
}
