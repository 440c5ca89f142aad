/**
 * Gradients and curves that torch and PEFT compute in float64: `test/vectors/training`, where `oracle.py` puts them. What is minimized
 * and how weights change stands at its head. Matrices have the names that programs use.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { openAdapter, openCheckpoint, readSafetensors, type Checkpoint, type Folder } from '../../../models/index.ts';
import { loadAdapter, type AdapterWeights, type LoadedAdapter } from '../../../models/adapters/peft.ts';
import { bytesSource, type ByteSource } from '../../../models/files/source.ts';

/** What there is to learn from. */
export interface Data {
  readonly count: number;
  /** Tokens of a row: one more than a model reads of it. */
  readonly length: number;
  /** [count, length] */
  readonly tokens: Int32Array;
  /** [count, length]: 1 where a token is a target that counts. The first of a row never is. */
  readonly mask: Int32Array;
}

interface Vector {
  /** Folders, as `--weights base=` and `--adapter` take them. */
  readonly model: string;
  readonly adapter: string;
  /** The adapter's matrices before the first step: multiples of 2^-14. */
  readonly start: AdapterWeights;
  /** A file, as `--data` takes it. */
  readonly dataFile: string;
  readonly data: Data;
}

/** Of one batch, which is all of the data. */
export interface GradientVector extends Vector {
  readonly gradients: AdapterWeights;
  readonly loss: number;
  /** Of all gradients together. */
  readonly norm: number;
}

export interface CurveVector<Hyperparameters> extends Vector {
  readonly hyperparameters: Hyperparameters;
  /** Of the data, those of each step's batch. */
  readonly rows: readonly (readonly number[])[];
  /** Of each step's batch, before its update. */
  readonly losses: readonly number[];
  /** Of each step's gradients together, before they are clipped. */
  readonly norms: readonly number[];
  /** Of all rows together, before the first step and after the last. */
  readonly before: number;
  readonly after: number;
  /** After the last step. */
  readonly trained: AdapterWeights;
}

const here = (path: string): string => fileURLToPath(new URL(`../../vectors/training/${path}`, import.meta.url));
const stories = fileURLToPath(new URL('../../../../shared/models/stories260k', import.meta.url));

/** The folder of stories260k; where it is absent the test is skipped, and says so. */
function storiesFolder(context: TestContext): string {
  if (!existsSync(`${stories}/model.safetensors`)) {
    console.warn('SKIPPED: there is no ../shared/models/stories260k to test with');
    context.skip('stories260k is absent');
  }
  return stories;
}

const source = (path: string): ByteSource => bytesSource(path, readFileSync(path));
const folderOf = (name: string): Folder => ({
  name,
  open: async (file) => (existsSync(`${name}/${file}`) ? source(`${name}/${file}`) : undefined),
});

export const openModel = async (folder: string): Promise<Checkpoint> => openCheckpoint(folderOf(folder));
export const openAdapterOf = async (folder: string): Promise<LoadedAdapter> => openAdapter(folderOf(folder));

/** A file of matrices under the names of an adapter's. */
async function matrices(folder: string, file: string): Promise<AdapterWeights> {
  const config = readFileSync(`${folder}/adapter_config.json`, 'utf8');
  return await (await loadAdapter(config, source(`${folder}/${file}.safetensors`))).weights();
}

async function readVector(name: string, model: string): Promise<Vector> {
  const folder = here(name);
  const dataFile = `${folder}/data.safetensors`;
  const file = await readSafetensors(source(dataFile));
  const [count, length] = file.tensors.get('tokens')?.shape ?? [];
  const [tokens, mask] = await Promise.all(
    ['tokens', 'mask'].map(async (tensor) => Int32Array.from(await file.readFloats(tensor))),
  );
  const start = await matrices(folder, 'adapter_model');
  return { model, adapter: folder, start, dataFile, data: { count, length, tokens, mask } };
}

const expected = (name: string): unknown => JSON.parse(readFileSync(here(`${name}/expected.json`), 'utf8'));

async function readGradients(name: string, model: string): Promise<GradientVector> {
  const { loss, norm } = expected(name) as Pick<GradientVector, 'loss' | 'norm'>;
  return { ...(await readVector(name, model)), gradients: await matrices(here(name), 'gradients'), loss, norm };
}

async function readCurve<H>(name: string, model: string): Promise<CurveVector<H>> {
  const found = expected(name) as Omit<CurveVector<H>, keyof Vector | 'trained'>;
  return { ...(await readVector(name, model)), ...found, trained: await matrices(here(name), 'trained') };
}

/** stories260k, rank 4 on q and v, 4 sequences of 32 tokens. */
export const storiesQv = async (context: TestContext): Promise<GradientVector> =>
  readGradients('stories260k-qv', storiesFolder(context));

/** stories260k, rank 4 on all seven projections, the same sequences. */
export const storiesAll = async (context: TestContext): Promise<GradientVector> =>
  readGradients('stories260k-all', storiesFolder(context));

/** Two layers of GPT-2 with a rank 2 on the fused q, k and v, 2 sequences of 9 tokens. */
export const gpt2Fused = async (): Promise<GradientVector> => readGradients('gpt2-fused', here('models/gpt2'));

/** Two layers of LLaMA, 4 heads of 6 on 2, an untied head, rank 3 on all seven projections, 3 sequences of 7 tokens. */
export const llamaAll = async (): Promise<GradientVector> => readGradients('llama-all', here('models/llama'));

export interface AdamW {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly decay: number;
}

/** 50 steps of AdamW on stories260k, rank 4 on q and v, 4 of 64 rows a step. */
export const storiesAdamW = async (context: TestContext): Promise<CurveVector<AdamW>> =>
  readCurve('stories260k-adamw', storiesFolder(context));

export interface ClippedMomentum {
  readonly rate: number;
  readonly mu: number;
  readonly limit: number;
}

/** 50 steps with momentum and clipping on the toy of LLaMA, 4 of 28 rows a step; at step 20 no target counts. */
export const llamaMomentum = async (): Promise<CurveVector<ClippedMomentum>> =>
  readCurve('llama-momentum', here('models/llama'));

/** Some rows of the data: a step's batch. */
export function rowsOf({ length, tokens, mask }: Data, rows: readonly number[]): Data {
  const take = (from: Int32Array): Int32Array =>
    Int32Array.from(
      { length: rows.length * length },
      (_, k) => from[rows[Math.floor(k / length)] * length + (k % length)],
    );
  return { count: rows.length, length, tokens: take(tokens), mask: take(mask) };
}

/** How near numbers are: the cosine of their angle, and the norm of the difference by that of the expected ones. */
export function nearness(
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
): { readonly cosine: number; readonly error: number } {
  if (actual.length !== wanted.length) throw new Error(`${actual.length} numbers, not ${wanted.length}`);
  let [product, own, others, difference] = [0, 0, 0, 0];
  for (let k = 0; k < wanted.length; k++) {
    product += actual[k] * wanted[k];
    own += actual[k] ** 2;
    others += wanted[k] ** 2;
    difference += (actual[k] - wanted[k]) ** 2;
  }
  return { cosine: product / Math.sqrt(own * others), error: Math.sqrt(difference / others) };
}
