/** A model so small that a step of it is proved in a moment, and runs of it. */
import type { ModelInput } from '../../../models/calibrate/model.ts';
import { train, type TrainInput } from '../../../models/run/train.ts';
import { memoryStore, readHeader, runFiles, type RunStore } from '../../../models/run/store.ts';
import { encodeHeader, type RunHeader } from '../../../runtime/run/header.ts';
import { ownProgram, readRun } from '../../../models/run/verify.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { createVerifier, type Verifier } from '../../../runtime/verifier/index.ts';
import { verifyRun, type OwnProgram, type RunToVerify, type VerifyRunOptions } from '../../../runtime/run/chain.ts';
import type { RunVerdict } from '../../../runtime/run/verdict.ts';
import type { WeightMap } from '../../../runtime/weights.ts';

export const text = `/// Two matrices learn y from x, both hidden.
optimizer momentum(w, g, step, const rate) {
  state m: fixed<12, 8> = 0
  state copy: fixed<12, 8> = w
  public r = round<8, 7>(rate)
  m' = round(m / 2 + g)
  copy' = round(copy - r * m')
  w' = round(copy')
}

model toy {
  dim M = 5, N = 2, I = 3, O = 2, R = 1
  const alpha = 2
  source data

  public rows[N]: index<M>
  secret X[M, I]: fixed<8, 5> from data "x"
  secret Y[M, O]: fixed<8, 5> from data "y"
  secret A[R, I]: fixed<8, 6> from adapter "m.lora_A.weight"
  secret B[O, R]: fixed<8, 6> from adapter "m.lora_B.weight"

  x[n, i] = X[rows[n], i]
  u[n, r] = round<10, 6>(sum(i) x[n, i] * A[r, i])
  y[n, o] = round<10, 6>(alpha / R * (sum(r) u[n, r] * B[o, r]))

  train {
    public step: index<40>
    e[n, o] = round<10, 6>(y[n, o] - Y[rows[n], o])
    public loss = round<16, 8>(sum(n, o) e[n, o] * e[n, o] / N)
    minimize loss over adapter by momentum(rate = 0.25)
  }
}
`;

export const model: ModelInput = { text, source: 'toy.zkl' };

/** Types that hold what these data give. */
export const calibration = {
  'loss.grad': { bits: 10, frac: 6 },
  'u.grad': { bits: 12, frac: 8 },
  'adapter:m.lora_A.weight.grad': { bits: 12, frac: 8 },
  'adapter:m.lora_B.weight.grad': { bits: 12, frac: 8 },
};

const wave = (count: number, phase: number): Float64Array =>
  Float64Array.from({ length: count }, (_, k) => Math.round(32 * Math.sin(1.7 * k + phase)) / 32);

export const data: WeightMap = new Map([
  ['x', { shape: [5, 3], values: wave(15, 1) }],
  ['y', { shape: [5, 2], values: wave(10, 2) }],
]);

/** Two rows, both in every step: the same integers whatever their order. */
export const [twoRows, twoData]: [ModelInput, WeightMap] = [
  { ...model, overrides: { M: 2 } },
  new Map(
    [...data].map(([name, { shape, values }]) => {
      const [, width] = shape;
      return [name, { shape: [2, width], values: Float64Array.from(values).slice(0, 2 * width) }];
    }),
  ),
];

export const adapter: WeightMap = new Map([
  ['m.lora_A.weight', { shape: [1, 3], values: Float64Array.of(0.5, -0.25, 0.375) }],
  ['m.lora_B.weight', { shape: [2, 1], values: Float64Array.of(0.25, -0.5) }],
]);

export const seed = new Uint8Array(32).fill(7);

/** A run of these data. */
export function inputOf(device: Device, changes: Partial<TrainInput> = {}): TrainInput {
  const sources = new Map([['data', data]]);
  return { ...{ model, calibration, sources, start: { seed }, steps: 3, device }, ...changes };
}

export type Store = ReturnType<typeof memoryStore>;

/** A run that is trained, and kept in memory. */
export async function trainRun(
  device: Device,
  changes: Partial<TrainInput> = {},
  store: Store = memoryStore(),
): Promise<Store> {
  await train(store, inputOf(device, changes));
  return store;
}

/** The program of the toy's steps, as its verifier makes it, and the state that they begin with. */
export function ownToy(): OwnProgram & { readonly first: ReadonlyMap<string, ArrayLike<number>> } {
  const own = ownProgram(model, calibration);
  const first = typeof own === 'string' ? own : own.start(seed);
  if (typeof own === 'string' || typeof first === 'string') throw new Error('the toy is no training program');
  return { ...own, first };
}

/** A verifier of single steps of the toy, which has all commitments of a run. */
export async function openedVerifier(device: Device, store: Store): Promise<Verifier> {
  const { bundle, first } = ownToy();
  const verifier = await createVerifier(bundle, { device });
  for (const verdict of [
    await verifier.register(file(store, runFiles.commitment('data'))),
    await verifier.registerKnown('state', first),
  ])
    if (!verdict.ok) throw new Error(verdict.reason);
  return verifier;
}

/** What the verifier of a run says who has the toy's text. */
export const verdictOf = async (
  device: Device,
  store: Store,
  options: Partial<VerifyRunOptions> = {},
): Promise<RunVerdict> =>
  verifyRun(await given(store), { device, compile: (types) => ownProgram(model, types), ...options });

/** A run that is kept in memory, as whoever verifies it gets it. */
export async function given(store: RunStore & { readonly files: ReadonlyMap<string, unknown> }): Promise<RunToVerify> {
  const numbers = (folder: string): number[] =>
    [...store.files.keys()].flatMap((name) =>
      new RegExp(`^${folder}/\\d+\\.zkp$`).test(name) ? [parseInt(name.slice(6), 10)] : [],
    );
  return readRun(store, Math.max(-1, ...numbers('steps')) + 1, numbers('links'));
}

/** A copy, with other files. */
export function changed(store: Store, files: Readonly<Record<string, Uint8Array | undefined>>): Store {
  const copy = memoryStore();
  for (const [name, bytes] of store.files) copy.files.set(name, bytes);
  for (const [name, bytes] of Object.entries(files))
    if (bytes === undefined) copy.files.delete(name);
    else copy.files.set(name, bytes);
  return copy;
}

export const headerOf = async (store: Store): Promise<RunHeader> => (await readHeader(store))!;

export const withHeader = async (store: Store, change: (header: RunHeader) => RunHeader): Promise<Store> =>
  changed(store, { [runFiles.header]: new TextEncoder().encode(encodeHeader(change(await headerOf(store)))) });

export const file = (store: Store, name: string): Uint8Array => store.files.get(name)!;
