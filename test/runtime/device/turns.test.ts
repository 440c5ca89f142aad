/** Calls that overlap on one device: each has its turn, and what it would have got alone. */
import { describe, expect, test } from 'vitest';
import type { Device } from '../../../runtime/device/device.ts';
import { createReferenceDevice } from '../../../runtime/device/reference.ts';
import { Scopes } from '../../../runtime/device/scopes.ts';
import { Turns } from '../../../runtime/device/turns.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { createWebGpuDevice } from '../../../runtime/device/webgpu/index.ts';
import { commit, createProver, ValueError } from '../../../runtime/prover/index.ts';
import { createVerifier } from '../../../runtime/verifier/index.ts';
import { timed } from '../../bench/timed.ts';
import { softwareAdapter } from '../../support/gpu.ts';
import { inputs, smallBundle, weights } from '../../support/small.ts';

const bundle = smallBundle();
const entropy = new Uint8Array(32).fill(5);
const adapter = 'adapter';

/** What single calls give, one after the other on a device of their own. */
const alone = await (async () => {
  const device = await createWasmDevice({ threads: 1 });
  const committed = await commit(bundle, adapter, weights, { device, entropy });
  const prover = await createProver(bundle, { device, sources: [{ opening: committed.opening, weights }] });
  const { proof } = await prover.prove(inputs, { entropy });
  await device.close();
  return { committed, proof };
})();

/** The proof with one byte changed, counted from its end: in the argument, or, from far enough, in what stands before it. */
const changed = (fromEnd: number): Uint8Array => {
  const out = Uint8Array.from(alone.proof);
  out[out.length - fromEnd] ^= 1;
  return out;
};

const outcome = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    return await call;
  } catch (error) {
    return error;
  }
};

interface Crowd {
  readonly calls: number;
  /** Without commitments and their range proofs: their kernels take a GPU in software minutes to compile. */
  readonly few?: true;
}

/** Calls of all kinds at once, some of which fail, and the check of what each gave. */
async function crowd(device: Device, { calls, few }: Crowd): Promise<void> {
  const cache = few && { has: async () => true, add: () => undefined };
  const open = () => createVerifier(bundle, { device, ...(cache && { cache }) });
  const verifier = await open();
  const prover = await createProver(bundle, { device, sources: [{ opening: alone.committed.opening, weights }] });
  const missing = new Map([...weights].slice(1));
  const fault = new Error('a hook that fails');
  const failing = {
    body: () => {
      throw fault;
    },
  };
  const kinds: readonly (() => Promise<void>)[] = [
    async () => expect(await verifier.verify(alone.proof)).toMatchObject({ ok: true }),
    async () => expect((await prover.prove(inputs, { entropy })).proof).toEqual(alone.proof),
    async () => expect(await verifier.verify(changed(1))).toMatchObject({ ok: false }),
    async () => expect(await verifier.verify(changed(500))).toMatchObject({ ok: false }),
    async () => expect(await outcome(prover.prove(inputs, { hooks: failing }))).toBe(fault),
    async () =>
      expect(await verifier.verify(alone.proof, { context: new Uint8Array(1) })).toMatchObject({
        ok: false,
        reason: 'the proof is for another context',
      }),
    async () => {
      const other = await createProver(bundle, { device, sources: [{ opening: alone.committed.opening, weights }] });
      expect(await verifier.verify((await other.prove(inputs)).proof)).toMatchObject({ ok: true });
    },
    async () => {
      const other = await open();
      expect(await other.verify(alone.proof)).toMatchObject({ ok: false });
      expect(await other.register(alone.committed.commitment)).toEqual({ ok: true });
      expect(await other.verify(alone.proof)).toMatchObject({ ok: true });
      other.close();
    },
  ];
  const committing: typeof kinds = [
    async () => expect(await commit(bundle, adapter, weights, { device, entropy })).toEqual(alone.committed),
    async () => expect(await outcome(commit(bundle, adapter, missing, { device, entropy }))).toBeInstanceOf(ValueError),
    async () => {
      const broken = Uint8Array.from(alone.committed.commitment);
      broken[broken.length - 1] ^= 1;
      const other = await open();
      expect(await other.register(broken)).toMatchObject({ ok: false });
      expect(await other.verify(alone.proof)).toMatchObject({ ok: false });
    },
  ];
  const all = few ? kinds : [...kinds, ...committing];
  // Nobody waits for the registration: calls have their turns in the order in which they are made.
  const registered = verifier.register(alone.committed.commitment);
  const made = Array.from({ length: calls }, (_, i) => all[i % all.length]());
  expect(await registered).toEqual({ ok: true });
  await Promise.all(made);
  verifier.close();
}

const onGpu = async (): Promise<Device | undefined> => {
  const found = await softwareAdapter();
  return found && createWebGpuDevice({ adapter: found, host: await createWasmDevice({ threads: 1 }), hostBelow: 64 });
};

describe.each<[string, Crowd, () => Promise<Device | undefined>]>([
  ['reference', { calls: 11 }, async () => createReferenceDevice()],
  ['wasm, 1 thread', { calls: 64 }, () => createWasmDevice({ threads: 1 })],
  ['wasm, 3 threads', { calls: 64 }, () => createWasmDevice({ threads: 3 })],
  ['wasm behind a proxy', { calls: 11 }, async () => timed(await createWasmDevice({ threads: 1 })).device],
  ['wasm in another object', { calls: 11 }, async () => ({ ...(await createWasmDevice({ threads: 1 })) })],
  ['webgpu', { calls: 64, few: true }, onGpu],
])('calls at once on %s', (_, size, create) => {
  test('on a cold device and on a warm one', async (context) => {
    const device = await create();
    if (!device) return context.skip('there is no such device on this machine');
    await crowd(device, size);
    await crowd(device, size);
    await device.close();
  });
});

describe('closing a device', () => {
  test.each<[string, () => Promise<Device | undefined>]>([
    ['reference', async () => createReferenceDevice()],
    ['wasm, 1 thread', () => createWasmDevice({ threads: 1 })],
    ['wasm, 2 threads', () => createWasmDevice({ threads: 2, waitForThreads: true })],
    ['webgpu', onGpu],
  ])('ends the calls that wait: %s', async (_, create) => {
    const device = await create();
    if (!device) return;
    const prover = await createProver(bundle, { device, sources: [{ opening: alone.committed.opening, weights }] });
    const verifier = await createVerifier(bundle, { device });
    const outcomes = [
      prover.prove(inputs),
      verifier.register(alone.committed.commitment),
      verifier.verify(alone.proof),
    ].map(outcome);
    await device.close();
    // The first has its turn: the reference device can end it, others cannot.
    const [first, ...waiting] = await Promise.all(outcomes);
    if (first instanceof Error) expect(first.message).toMatch(/device is closed/);
    for (const result of [...waiting, await outcome(verifier.verify(alone.proof))])
      expect(String(result)).toMatch(/device is closed/);
    verifier.close();
  });
});

describe('turns', () => {
  test('are taken in order, at once where nobody is before', async () => {
    const turns = new Turns();
    const seen: number[] = [];
    const calls = [1, 2, 3].map((n) =>
      turns.exclusive(async () => {
        seen.push(n);
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(-n);
      }),
    );
    expect(seen).toEqual([1]);
    await Promise.all(calls);
    expect(seen).toEqual([1, -1, 2, -2, 3, -3]);
  });

  test('go on after a failure, also one that is thrown at once', async () => {
    const turns = new Turns();
    const failed = turns.exclusive(() => {
      throw new Error('at once');
    });
    const rejected = turns.exclusive(() => Promise.reject(new Error('later')));
    const good = turns.exclusive(async () => 3);
    expect(String(await outcome(failed))).toBe('Error: at once');
    expect(String(await outcome(rejected))).toBe('Error: later');
    expect(await good).toBe(3);
  });

  test('end when the device is closed, also the one that was about to begin', async () => {
    const turns = new Turns();
    let end!: () => void;
    const work = new Promise<void>((resolve) => (end = resolve));
    const first = turns.exclusive(() => work);
    const others = [1, 2].map(() => outcome(turns.exclusive(async () => expect.unreachable())));
    // Heard right after the turn was handed on, and before the next body runs.
    const closed = work.then(() => turns.close());
    end();
    await Promise.all([first, closed]);
    for (const result of await Promise.all(others)) expect(String(result)).toMatch(/device is closed/);
  });
});

test('scopes that overlap all the same are an error, and nothing is lost by it', async () => {
  const freed: string[] = [];
  const scopes = new Scopes<string>((name) => freed.push(name));
  let end!: () => void;
  const outer = scopes.scope(() => new Promise<void>((resolve) => (end = resolve)));
  scopes.own('outer');
  let endInner!: () => void;
  const inner = scopes.scope(() => new Promise<void>((resolve) => (endInner = resolve)));
  scopes.own('inner');
  end();
  expect(String(await outcome(outer))).toMatch(/reverse order.*exclusive/);
  endInner();
  expect(await outcome(inner)).toBeUndefined();
  expect(freed).toEqual(['outer', 'inner']);
  await scopes.scope(async () => scopes.own('after'));
  expect(freed).toEqual(['outer', 'inner', 'after']);
});
