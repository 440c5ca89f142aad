/** What a check of a gadget found. */
import type { Verdict } from '../../runtime/verifier/argument.ts';
import type { Subject } from './subject.ts';

/** Which of the properties a check is about. */
export type Property =
  'completeness' | 'devices' | 'messages' | 'pads' | 'witness' | 'outputs' | 'bytes' | 'statement' | 'range' | 'taken';

export interface GadgetFailure {
  readonly property: Property;
  /** What was done: the message's label, the tensor's entry, the position in the proof. */
  readonly what: string;
  readonly problem: string;
}

export interface GadgetReport {
  readonly ok: boolean;
  /** How many checks of each kind were made. */
  readonly checks: Readonly<Record<Property, number>>;
  readonly failures: readonly GadgetFailure[];
  /** The report as text, failures first. */
  readonly text: string;
}

const properties: readonly Property[] = [
  'completeness',
  'devices',
  'messages',
  'pads',
  'witness',
  'outputs',
  'bytes',
  'statement',
  'range',
  'taken',
];

/** Collects outcomes; a check that throws is a failure like any other. */
export class Ledger {
  readonly checks = Object.fromEntries(properties.map((p) => [p, 0])) as Record<Property, number>;
  readonly failures: GadgetFailure[] = [];

  fail(property: Property, what: string, problem: string): void {
    this.failures.push({ property, what, problem });
  }

  async accepted(property: Property, what: string, run: () => Promise<Verdict>): Promise<void> {
    const outcome = await this.#run(property, run);
    if (typeof outcome === 'string') this.fail(property, what, `threw: ${outcome}`);
    else if (!outcome.ok) this.fail(property, what, `rejected: ${outcome.reason}`);
  }

  async rejected(property: Property, what: string, run: () => Promise<Verdict>): Promise<void> {
    const outcome = await this.#run(property, run);
    if (typeof outcome === 'string') this.fail(property, what, `threw instead of being rejected: ${outcome}`);
    else if (outcome.ok) this.fail(property, what, 'was accepted');
  }

  async #run(property: Property, run: () => Promise<Verdict>): Promise<Verdict | string> {
    this.checks[property]++;
    try {
      return await run();
    } catch (e) {
      return e instanceof Error ? e.message : String(e);
    }
  }
}

/** The report as text: what was checked, then every failure on a line. */
export function printReport({ gadgets, argument }: Subject, { checks, failures }: Ledger): string {
  const made = properties.filter((p) => checks[p] > 0).map((p) => `${checks[p]} ${p}`);
  const lines = failures.map((f) => `  ${f.property}: ${f.what} ${f.problem}`);
  const head = `${gadgets.name}: ${argument.pads.labels.length} messages, ${argument.pads.triples} products; checked ${made.join(', ')}`;
  return failures.length === 0 ? `${head}: all hold` : [`${head}: ${failures.length} do not hold`, ...lines].join('\n');
}
