/**
 * WGSL text from declarations: generators return named pieces, and a shader is the pieces that its entry point reaches.
 */

/** A function, struct, constant or variable of a shader. What it uses is found in its text. */
export interface Declaration {
  readonly name: string;
  readonly text: string;
}

/**
 * The declarations of `library` that `entry` reaches, in the library's order, then `entry`. Unreached functions cost
 * compile time, which dominates the first use of a curve shader.
 * @throws Error for a name that is declared twice
 */
export function assemble(library: readonly Declaration[], entry: string): string {
  const known = new Map<string, Declaration>();
  for (const d of library) {
    if (known.has(d.name)) throw new Error(`internal error: ${d.name} is declared twice in a shader`);
    known.set(d.name, d);
  }
  const reached = new Set<Declaration>();
  const visit = (text: string): void => {
    for (const [name] of text.matchAll(/[A-Za-z_]\w*/g)) {
      const d = known.get(name);
      if (d === undefined || reached.has(d)) continue;
      reached.add(d);
      visit(d.text);
    }
  };
  visit(entry);
  return [...library.filter((d) => reached.has(d)).map((d) => d.text), entry, ''].join('\n\n');
}

/** A u32 literal. @throws RangeError unless it fits 32 bits */
export function u32(value: number | bigint): string {
  const n = BigInt(value);
  if (n < 0n || n >= 1n << 32n) throw new RangeError(`${n} is no 32-bit word`);
  return n < 1024n ? `${n}u` : `0x${n.toString(16)}u`;
}

/** Lines indented by two spaces for each level of `depth`. */
export const indent = (lines: readonly string[], depth = 1): string =>
  lines.map((line) => `${'  '.repeat(depth)}${line}`).join('\n');
