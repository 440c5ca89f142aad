/**
 * What a protocol talks to. It is written once and run in three roles: prover, verifier, and planner, which
 * only counts. In the prover a message's value is given and masked; in the verifier it is read and becomes an affine
 * form in the pads. Protocols never see pads or blindings.
 */
import { combine, constantForm, pad, padIndex, padKind, value, type Form, type Pad, type Value } from './form.ts';
import type { Opening } from './commitment/hyrax.ts';
import { mul, neg } from './scalar.ts';
import type { Transcript } from './transcript.ts';

/** A masked message that may become a factor of products. */
export interface MaskedFactor {
  readonly form: Form;
  readonly pad: Pad;
}

/** How many pads a program uses, and which triple slots repeat another slot's pad. A function of the program alone. */
export interface PadPlan {
  readonly plain: number;
  readonly triples: number;
  readonly copies: ReadonlyMap<Pad, Pad>;
  /** Relations left for the opening argument. */
  readonly relations: number;
  /** The sum over the protocol's challenges of the degree of the condition in each. */
  readonly degree: number;
  /** Labels of all messages in order, for people and for hooks. */
  readonly labels: readonly string[];
}

/** The part of a role that differs between prover, verifier and planner. */
export interface Channel {
  /** Masks and sends the value (prover), or reads the next message (verifier). Returns what travelled. */
  masked(label: string, p: Pad, value: bigint | undefined): bigint;
  /** Sends the value as it is (prover), or reads the next message (verifier). */
  clear(label: string, value: bigint | undefined): bigint;
}

/** What opening a claim takes. */
export interface OpeningSize {
  readonly openings: number;
  readonly rows: number;
  /** Entries of column digits that end early, whose weights have no closed form. */
  readonly limited: number;
}

/** Counts what a protocol asks of a verifier. Given to the planner, which then makes no weights. */
export interface Meter {
  /** A message or a challenge. */
  message(): void;
  /** Coefficients of pads in forms that are combined. */
  pads(count: number): void;
  summands(count: number, factors: number): void;
  open(size: OpeningSize): void;
}

/** Rows opened, each as often as it is: far more than any real program's, about as many as fit in memory. */
const MAX_ROWS = 2 ** 24;
/** Openings, which take a kilobyte each. */
const MAX_OPENINGS = 2 ** 20;

export class ProtocolContext {
  readonly transcript: Transcript;
  readonly relations: Value[] = [];
  readonly copies = new Map<Pad, Pad>();
  readonly labels: string[] = [];
  readonly #channel: Channel;
  readonly meter: Meter | undefined;
  #plain = 0;
  #triples = 0;
  #degree = 0;
  #rows = 0;
  #openings = 0;
  #openHome: number | undefined;

  constructor(transcript: Transcript, channel: Channel, meter?: Meter) {
    this.transcript = transcript;
    this.#channel = channel;
    this.meter = meter;
  }

  /** `degree`: of the condition in this challenge; degree / r is what it adds to the soundness error. */
  challenge(label: string, degree: number): bigint {
    this.#degree += degree;
    this.meter?.message();
    return this.transcript.challenge(label);
  }

  /** A random point: each coordinate enters conditions linearly. */
  point(label: string, variables: number): bigint[] {
    return Array.from({ length: variables }, () => this.challenge(label, 1));
  }

  /** A masked message. `v` is its value in the prover and undefined in the verifier. */
  send(label: string, v: bigint | undefined): Form {
    return this.#masked(label, pad('P', this.#plain++), v);
  }

  /** A message that everybody could compute, such as an evaluation of an open tensor: it needs no mask. */
  sendClear(label: string, v: bigint | undefined): bigint {
    this.labels.push(label);
    this.meter?.message();
    const sent = this.#channel.clear(label, v);
    this.transcript.absorbScalar(label, sent);
    return sent;
  }

  /** A masked message that takes part in products. Consecutive ones share a triple, so that their product is free. */
  sendFactor(label: string, v: bigint | undefined): MaskedFactor {
    let p: Pad;
    if (this.#openHome === undefined) {
      this.#openHome = this.#triples++;
      p = pad('A', this.#openHome);
    } else {
      p = pad('B', this.#openHome);
      this.#openHome = undefined;
    }
    return { form: this.#masked(label, p, v), pad: p };
  }

  /**
   * The product of two masked messages u = u' - a, v = v' - b as the affine form u'v' - u'b - v'a + ab, where ab is the
   * committed product pad of a triple. If a, b are not the two factors of one triple, a fresh triple takes copies of
   * them, and a copy constraint for each says so: without it the triple would prove a product of other pads.
   */
  product(f: MaskedFactor, g: MaskedFactor): Form {
    const home = this.#commonTriple(f.pad, g.pad);
    const triple = home ?? this.#triples++;
    if (home === undefined) {
      this.#copy(pad('A', triple), f.pad);
      this.#copy(pad('B', triple), g.pad);
    }
    const [u, v] = [f.form.constant, g.form.constant];
    return combine([
      [1n, constantForm(mul(u, v))],
      [neg(u), { constant: 0n, pads: new Map([[g.pad, 1n]]) }],
      [neg(v), { constant: 0n, pads: new Map([[f.pad, 1n]]) }],
      [1n, { constant: 0n, pads: new Map([[pad('C', triple), 1n]]) }],
    ]);
  }

  /**
   * Counts what is opened before its weights are made; a planner makes none.
   * @throws RangeError for more rows or openings than are proved
   */
  open(size: OpeningSize, make: () => Opening[]): Opening[] {
    this.#rows += size.rows;
    this.#openings += size.openings;
    if (this.#rows > MAX_ROWS)
      throw new RangeError(`more than ${MAX_ROWS} rows of commitments would be opened, counted as often as they are`);
    if (this.#openings > MAX_OPENINGS)
      throw new RangeError(`commitments would be opened at more than ${MAX_OPENINGS} places`);
    if (!this.meter) return make();
    this.meter.open(size);
    return [];
  }

  /** States that a value is 0. All relations are settled together by the opening argument. */
  assertZero(v: Value): void {
    this.relations.push(v);
  }

  plan(): PadPlan {
    return {
      plain: this.#plain,
      triples: this.#triples,
      copies: this.copies,
      relations: this.relations.length,
      degree: this.#degree,
      labels: this.labels,
    };
  }

  #masked(label: string, p: Pad, v: bigint | undefined): Form {
    this.labels.push(label);
    this.meter?.message();
    const sent = this.#channel.masked(label, p, v);
    this.transcript.absorbScalar(label, sent);
    return { constant: sent, pads: new Map([[p, neg(1n)]]) };
  }

  #copy(to: Pad, from: Pad): void {
    this.copies.set(to, from);
    this.assertZero(
      value({
        constant: 0n,
        pads: new Map([
          [to, 1n],
          [from, neg(1n)],
        ]),
      }),
    );
  }

  #commonTriple(a: Pad, b: Pad): number | undefined {
    const [x, y] = a < b ? [a, b] : [b, a];
    return padKind(x) === 'A' && padKind(y) === 'B' && padIndex(x) === padIndex(y) ? padIndex(x) : undefined;
  }
}
