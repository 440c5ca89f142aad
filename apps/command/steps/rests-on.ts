/** What a verdict rests on: from the command line to the verifier, and from the verifier to people. */
import { ValueError } from '../../../compiler/ir/errors.ts';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { checkOpenCommitment } from '../../../runtime/prover/index.ts';
import type { Accepted, Basis, Expectation, RestsOn } from '../../../runtime/verifier/index.ts';
import type { Arguments } from '../parse/arguments.ts';
import { perSource, type BundleFile } from './bundle.ts';
import type { CheckedCache } from '../../host/cache.ts';
import type { Json } from '../parse/command.ts';
import { about, CliError } from '../errors.ts';
import { openSourceWeights } from '../../host/weights.ts';
import type { Progress } from '../show/progress.ts';
import { shown, shownName } from '../show/terminal.ts';

/** What the command line says about the sources of a program. */
export interface Given {
  /** Paths of weights that commitments are to be compared with, by source. */
  readonly weights: ReadonlyMap<string, string>;
  /** Digests, by source. */
  readonly pins: ReadonlyMap<string, string>;
  readonly trusted: ReadonlySet<string>;
}

/** `--weights`, `--pin` and `--trust`. @throws CliError for sources that there are not, and digests that are none */
export function givenOf(args: Arguments, { path, bundle }: BundleFile): Given {
  const { sources } = bundle.gadgets;
  const open = sources.filter((s) => s.open);
  const weights = args.list('weights');
  if (weights.length > 0 && open.length === 0)
    throw new CliError(`--weights is given, and ${path} has no open weights`, 'leave it out');
  const pins = perSource('pin', args.list('pin'), sources);
  for (const [name, digest] of pins)
    if (!isDigest(digest))
      throw new CliError(
        `--pin ${name}=${digest} is no digest`,
        'give the 64 hexadecimal digits that `zkl commit` prints, whole',
      );
  const trusted = args.list('trust');
  for (const name of trusted)
    if (!open.some((s) => s.name === name))
      throw new CliError(
        sources.some((s) => s.name === name)
          ? `--trust ${name}: "${name}" is secret, and its commitment proves that its entries are in range`
          : `--trust ${name}: ${path} takes nothing from "${name}"`,
        open.length === 0 ? 'leave it out' : `its open sources: ${open.map((s) => s.name).join(', ')}`,
      );
  return { weights: perSource('weights', weights, open), pins, trusted: new Set(trusted) };
}

export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text);

/** How the commitment that is given for a source is to be taken, its digest being `digest`; undefined: it rests on nothing. */
export async function expectationOf(
  { name, open }: CommittedSource,
  digest: string,
  { weights, pins, trusted }: Given,
  checked: CheckedCache | undefined,
): Promise<Expectation | undefined> {
  // Weights are compared before the commitment is registered: one to others gets no verdict.
  const pin = pins.get(name);
  if (weights.has(name)) return { digest: pin ?? digest, basis: 'checked now' };
  if (pin !== undefined) return { digest: pin, basis: 'pinned' };
  if (!open) return undefined;
  if (trusted.has(name)) return { basis: 'trusted' };
  return (await checked?.get(digest)) === undefined ? undefined : { digest, basis: 'checked earlier' };
}

/** The same for each source of a program. @param digests of the commitments that are given, by source */
export async function expectations(
  { bundle }: BundleFile,
  digests: ReadonlyMap<string, string>,
  given: Given,
  checked: CheckedCache | undefined,
): Promise<Record<string, Expectation>> {
  const out: [string, Expectation][] = [];
  for (const source of bundle.gadgets.sources) {
    const expectation = await expectationOf(source, digests.get(source.name) ?? '', given, checked);
    if (expectation !== undefined) out.push([source.name, expectation]);
  }
  return Object.fromEntries(out);
}

/** The reason why a commitment is not one to the open weights it should be to, if one is not. */
export async function checkWeights(
  device: Device,
  file: BundleFile,
  { weights }: Given,
  commitments: readonly { readonly source: string; readonly bytes: Uint8Array }[],
  progress: Progress,
): Promise<string | undefined> {
  for (const { source: name, bytes: commitment } of commitments) {
    const path = weights.get(name);
    const source = file.bundle.gadgets.sources.find((s) => s.name === name);
    if (path === undefined || source === undefined) continue;
    await using files = new AsyncDisposableStack();
    const own = await progress.phase('open weights', () => openSourceWeights(path, source, files));
    const verdict = await progress.phase('check weights', () =>
      about(path, 'give the weights that the program was written for', [ValueError], () =>
        checkOpenCommitment(file.bytes, commitment, own, { device }),
      ),
    );
    if (!verdict.ok) return `the commitment to "${shown(name)}" is not to the weights of ${path}: ${verdict.reason}`;
  }
  return undefined;
}

/** Where nothing stands behind open weights: what could. */
export function uncheckedError(sources: readonly string[], digests: ReadonlyMap<string, string>): CliError {
  const [name] = sources;
  const names = sources.map((s) => `"${s}"`).join(', ');
  return new CliError(
    `could not verify: nobody has checked the commitment to the open weights ${names}, and a proof over other weights is as valid`,
    `add --weights ${name}=DIR with the public weights, or --pin ${name}=HEX with the digest of a commitment that was checked, ` +
      `or --trust ${name} to take it as it came (its digest is ${digests.get(name) ?? 'unknown'})`,
    { json: { verdict: 'unverified', sources } },
  );
}

const reasons: Readonly<Record<Basis, string>> = {
  'checked now': 'checked now: compared with the weights of',
  'checked earlier': 'checked earlier: compared with the weights of',
  pinned: 'pinned: it is the one that --pin names',
  trusted: 'trusted: taken as it came, by --trust; whose weights these are was not checked',
  adopted: 'adopted: it is what a proof that was accepted before it made',
  given: 'given: taken as it came; compare its digest with the published one, or --pin it',
};

/** One line per source, for people. */
export async function restsOnText(
  accepted: Pick<Accepted, 'restsOn'>,
  { weights }: Given,
  checked: CheckedCache | undefined,
): Promise<string[]> {
  const line = async ({ source, visibility, digest, basis }: RestsOn): Promise<string> => {
    const record = basis === 'checked earlier' ? await checked?.get(digest) : undefined;
    const what =
      basis === 'checked now' ? ` ${weights.get(source) ?? ''}` : record ? ` ${record.weights} on ${record.date}` : '';
    return `  ${visibility} weights "${shownName(source)}", commitment ${digest}\n    ${reasons[basis]}${shown(what)}`;
  };
  return Promise.all(accepted.restsOn.map(line));
}

/** The commitments that the proof makes: one line each, for people. */
export const outputsText = ({ outputs }: Accepted): string[] =>
  [...outputs.values()].map(({ name, digest }) => `secret output ${shownName(name)}: commitment ${digest}`);

/** For programs: their digests by name. */
export const outputsJson = ({ outputs }: Accepted): Json =>
  Object.fromEntries([...outputs.values()].map(({ name, digest }) => [name, digest]));

/** For programs: by source. */
export const restsOnJson = ({ restsOn }: Pick<Accepted, 'restsOn'>): Json =>
  Object.fromEntries(
    restsOn.map(({ source, visibility, digest, basis }) => [source, { basis, visibility, commitment: digest }]),
  );
