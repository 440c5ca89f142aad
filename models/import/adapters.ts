/** The adapters of an imported model: which projections each changes, and how a program says so. */
import { FormatError, formatShape, quote, quoteSome, type Refusals } from '../files/errors.ts';
import type { AdapterDescription, LoraModule } from '../adapters/peft.ts';

export interface ModelAdapter {
  readonly description: AdapterDescription;
  /** Of the tensors' file, for messages. */
  readonly fileName: string;
  /** The largest magnitude in each matrix, by its name in programs. */
  readonly maxAbs: ReadonlyMap<string, number>;
  /** What the program calls it: `adapter`, or a source that the program declares. */
  readonly source: string;
}

/** What a module of the model is, seen from an adapter. */
export interface Projection {
  readonly inputs: number;
  readonly outputs: number;
}

/** All that adapters add to one projection. */
export interface Update {
  readonly adapter: ModelAdapter;
  readonly module: LoraModule;
}

/** `lora` declares A and B so: magnitudes below 2. */
const LARGEST = 2 - 2 ** -15;

/** Modules of an adapter that a message names before it counts the rest. */
const MOST = 4;

/**
 * The updates of each projection, by its path in the model.
 *
 * @param projections of the model, by path
 * @param refusals gets modules that are no projections of the model, or of another shape, and parts of an adapter that are
 *   no low-rank update
 */
export function updatesOf(
  adapters: readonly ModelAdapter[],
  projections: ReadonlyMap<string, Projection>,
  refusals: Refusals,
): Map<string, Update[]> {
  const updates = new Map<string, Update[]>();
  for (const adapter of adapters) {
    refuseSaved(adapter, refusals);
    refuseForeign(adapter, projections, refusals);
    for (const module of adapter.description.modules) {
      const projection = projections.get(module.path);
      if (projection === undefined) continue;
      refusals.attempt(() => checkModule(adapter, module, projection));
      updates.set(module.path, [...(updates.get(module.path) ?? []), { adapter, module }]);
    }
  }
  return updates;
}

/** Whatever was trained beside the matrices is a part of the model that PEFT runs. */
function refuseSaved({ description, fileName }: ModelAdapter, refusals: Refusals): void {
  const [saved, ...rest] = description.leftOut;
  if (saved === undefined) return;
  const more = rest.length > 0 ? `, as do ${rest.length} more` : '';
  refusals.add(
    new FormatError(
      fileName,
      `${quote(saved.name)} ${formatShape(saved.shape)} stands in place of a tensor of the model or beside it${more}: it was saved whole with the adapter`,
      'merge it into the model with `merge_and_unload()`, or train without "modules_to_save" and new tokens',
    ),
  );
}

function refuseForeign(
  { description, fileName }: ModelAdapter,
  projections: ReadonlyMap<string, Projection>,
  refusals: Refusals,
): void {
  const foreign = description.modules.map((module) => module.path).filter((path) => !projections.has(path));
  if (foreign.length === 0) return;
  const [are, no] = foreign.length === 1 ? ['is', 'projection'] : ['are', 'projections'];
  refusals.add(
    new FormatError(
      fileName,
      `the adapter changes ${quoteSome(foreign, MOST)}, which ${are} no ${no} of this model`,
      `projections are ${quoteSome(projections.keys(), MOST)}: was the adapter trained on another model?`,
    ),
  );
}

/** @throws FormatError */
function checkModule({ fileName, maxAbs }: ModelAdapter, module: LoraModule, projection: Projection): void {
  if (module.inputs !== projection.inputs || module.outputs !== projection.outputs)
    throw new FormatError(
      fileName,
      `${quote(module.path)} goes from ${module.inputs} to ${module.outputs}, in the model from ${projection.inputs} to ${projection.outputs}`,
      'was the adapter trained on another model?',
    );
  for (const { name } of [module.a, module.b]) {
    const most = maxAbs.get(name) ?? 0;
    if (most >= LARGEST)
      throw new FormatError(
        fileName,
        `${quote(name)} has a value of magnitude ${most}; \`lora\` of the standard library declares fixed<16, 14>, below 2`,
        'copy the block into the program with a wider type',
      );
  }
}

/** What the program writes for an adapter's rank and scaling: names where all its modules agree, else numbers. */
export interface Notation {
  /** `R = 8` */
  readonly dims: readonly string[];
  /** `alpha = 16` */
  readonly consts: readonly string[];
  /** The call that adds an update, `lora<H * K, R>(h, alpha)`. */
  call(update: Update, outputs: string, input: string): string;
}

export function notationOf(adapters: readonly ModelAdapter[]): Notation {
  const dims: string[] = [];
  const consts: string[] = [];
  const names = new Map<ModelAdapter, { rank?: string; alpha?: string }>();
  for (const adapter of adapters) {
    const { modules } = adapter.description;
    const suffix = adapter.source === 'adapter' ? '' : `_${adapter.source}`;
    const one = <T>(values: readonly T[]): T | undefined => (new Set(values).size === 1 ? values[0] : undefined);
    const rank = one(modules.map((m) => m.rank));
    const scaled = one(modules.map((m) => `${m.alpha} ${m.rslora} ${m.rslora ? m.rank : ''}`));
    const own: { rank?: string; alpha?: string } = {};
    if (rank !== undefined) {
      own.rank = `R${suffix}`;
      dims.push(`${own.rank} = ${rank}`);
    }
    if (scaled !== undefined) {
      own.alpha = `alpha${suffix}`;
      consts.push(`${own.alpha} = ${scaling(modules[0], own.rank)}`);
    }
    names.set(adapter, own);
  }
  return {
    dims,
    consts,
    call: ({ adapter, module }, outputs, input) => {
      const { rank = String(module.rank), alpha = scaling(module) } = names.get(adapter) ?? {};
      const source = adapter.source === 'adapter' ? '' : `, ${adapter.source}`;
      return `lora<${outputs}, ${rank}>(${input}, ${alpha}${source})`;
    },
  };
}

/** What `lora` divides by the rank: alpha, or alpha times the root of the rank. */
function scaling({ alpha, rank, rslora, scaling: exact }: LoraModule, name = String(rank)): string {
  if (!rslora) return String(alpha);
  const value = `${alpha} * sqrt(${name})`;
  if (exact !== undefined) return value;
  const whole = Math.ceil(Math.log2(Math.abs(alpha) * Math.sqrt(rank)));
  return `round<32, ${Math.min(24, 30 - whole)}>(${value})`;
}
