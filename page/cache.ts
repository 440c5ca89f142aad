/** Commitment generators, kept by the browser between visits. What is kept is checked against a digest in the code. */
import type { GeneratorCache } from '../runtime/curve/generators.ts';

const place = 'zkl-generators';

/** Without a place to keep them (private windows, insecure contexts) they are computed anew each time. */
export function generatorCache(): GeneratorCache | undefined {
  // Absent outside secure contexts, whatever the types say.
  const storage = globalThis.caches as CacheStorage | undefined;
  if (!storage) return undefined;
  const quietly = async <T>(body: (cache: Cache) => Promise<T>): Promise<T | undefined> => {
    try {
      return await body(await storage.open(place));
    } catch {
      return undefined;
    }
  };
  return {
    load: (name) =>
      quietly(async (cache) => {
        const kept = await cache.match(`/${name}`);
        return kept && new Uint8Array(await kept.arrayBuffer());
      }),
    store: async (name, bytes) => {
      await quietly((cache) => cache.put(`/${name}`, new Response(bytes.slice())));
    },
  };
}
