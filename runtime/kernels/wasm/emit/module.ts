/**
 * Builds WebAssembly modules out of functions: locals, structured control flow, imports, one (possibly shared) memory.
 */
import {
  Bytes,
  i32,
  node,
  toI32,
  type Expr,
  type I32,
  type Int,
  type Local,
  type V128,
  type ValueType,
} from './code.ts';

const TYPE_CODE: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b };

/** What can be called: an import or a function of the module. */
export interface Callee {
  readonly index: number;
  readonly params: readonly ValueType[];
  readonly result: ValueType | undefined;
}

/** The global that holds the address of the instance's own scratch memory; the only one a module may have. */
export const scratchBase: I32 = node('i32', [], (out) => {
  out.byte(0x23);
  out.byte(0);
});

/** Writes the body of one function. */
export class Code {
  readonly out = new Bytes();
  readonly #locals: ValueType[] = [];
  readonly #free = new Map<ValueType, number[]>();
  readonly #paramCount: number;
  /** Number of enclosing blocks; labels are absolute depths, turned into relative ones when branched to. */
  #depth = 0;

  constructor(paramCount: number) {
    this.#paramCount = paramCount;
  }

  get locals(): readonly ValueType[] {
    return this.#locals;
  }

  local<T extends ValueType>(type: T): Local<T> {
    const index = this.#free.get(type)?.pop() ?? this.#paramCount + this.#locals.push(type) - 1;
    return localAt(type, index);
  }

  /** Lets a local be reused by later calls of `local`. */
  release(...locals: readonly Local<ValueType>[]): void {
    for (const { type, index } of locals) this.#free.set(type, [...(this.#free.get(type) ?? []), index]);
  }

  /** Declares a local with a first value. */
  let<T extends ValueType>(value: Expr<T>): Local<T> {
    const local = this.local(value.type);
    this.set(local, value);
    return local;
  }

  set<T extends ValueType>(local: Local<T>, value: Expr<T>): void {
    value.write(this.out);
    this.out.byte(0x21);
    this.out.unsigned(local.index);
  }

  inc(local: Local<'i32'>, by: Int = 1): void {
    this.set(local, i32.add(local, by));
  }

  #store(opcode: readonly number[], align: number, address: Int, value: Expr<ValueType>, offset: number): void {
    toI32(address).write(this.out);
    value.write(this.out);
    for (const b of opcode) this.out.byte(b);
    this.out.unsigned(align);
    this.out.unsigned(offset);
  }

  store32(address: Int, value: Int, offset = 0): void {
    this.#store([0x36], 2, address, toI32(value), offset);
  }

  store16(address: Int, value: Int, offset = 0): void {
    this.#store([0x3b], 1, address, toI32(value), offset);
  }

  store64(address: Int, value: Expr<'i64'> | Expr<'f64'>, offset = 0): void {
    this.#store([value.type === 'i64' ? 0x37 : 0x39], 3, address, value, offset);
  }

  store128(address: Int, value: V128, offset = 0): void {
    this.#store([0xfd, 0x0b], 4, address, value, offset);
  }

  /** Stores one eight-byte lane. */
  storeLane(address: Int, value: V128, lane: 0 | 1, offset = 0): void {
    this.#store([0xfd, 0x5b], 3, address, value, offset);
    this.out.byte(lane);
  }

  copy(target: Int, source: Int, bytes: Int): void {
    for (const operand of [target, source, bytes]) toI32(operand).write(this.out);
    for (const b of [0xfc, 10, 0, 0]) this.out.byte(b);
  }

  fill(target: Int, value: Int, bytes: Int): void {
    for (const operand of [target, value, bytes]) toI32(operand).write(this.out);
    for (const b of [0xfc, 11, 0]) this.out.byte(b);
  }

  /** A block; `leave` branches to its end. */
  block(body: (leave: (condition?: I32) => void) => void): void {
    this.#structured(0x02, body);
  }

  /** A loop; `again` branches to its start. */
  loop(body: (again: (condition?: I32) => void) => void): void {
    this.#structured(0x03, body);
  }

  #structured(opcode: number, body: (branch: (condition?: I32) => void) => void): void {
    this.out.byte(opcode);
    this.out.byte(0x40);
    const depth = ++this.#depth;
    body((condition) => {
      condition?.write(this.out);
      this.out.byte(condition === undefined ? 0x0c : 0x0d);
      this.out.unsigned(this.#depth - depth);
    });
    this.#depth--;
    this.out.byte(0x0b);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    condition.write(this.out);
    this.out.byte(0x04);
    this.out.byte(0x40);
    this.#depth++;
    then();
    if (otherwise !== undefined) {
      this.out.byte(0x05);
      otherwise();
    }
    this.#depth--;
    this.out.byte(0x0b);
  }

  while(condition: () => I32, body: () => void): void {
    this.block((leave) =>
      this.loop((again) => {
        leave(i32.eqz(condition()));
        body();
        again();
      }),
    );
  }

  /** for (i = from; i < to; i += step), compared as signed numbers. */
  for(from: Int, to: Int, body: (i: Local<'i32'>) => void, step: Int = 1): void {
    const i = this.let(toI32(from));
    this.while(
      () => i32.lt_s(i, to),
      () => {
        body(i);
        this.inc(i, step);
      },
    );
    this.release(i);
  }

  call(callee: Callee, ...args: readonly (Expr<ValueType> | number)[]): void {
    writeCall(this.out, callee, args);
    if (callee.result !== undefined) this.out.byte(0x1a);
  }

  return(value?: Expr<ValueType>): void {
    value?.write(this.out);
    this.out.byte(0x0f);
  }
}

function writeCall(out: Bytes, callee: Callee, args: readonly (Expr<ValueType> | number)[]): void {
  if (args.length !== callee.params.length)
    throw new Error(`call: ${args.length} arguments for ${callee.params.length} parameters`);
  for (const arg of args) (typeof arg === 'number' ? i32.const(arg) : arg).write(out);
  out.byte(0x10);
  out.unsigned(callee.index);
}

/** A call as an expression. */
export const call = <T extends ValueType>(
  type: T,
  callee: Callee,
  ...args: readonly (Expr<ValueType> | number)[]
): Expr<T> => node(type, [], (out) => writeCall(out, callee, args));

const localAt = <T extends ValueType>(type: T, index: number): Local<T> => ({
  type,
  index,
  write(out) {
    out.byte(0x20);
    out.unsigned(index);
  },
});

export type Locals<T extends readonly ValueType[]> = { -readonly [K in keyof T]: Local<T[K]> };

interface Definition extends Callee {
  readonly exported: string | undefined;
  readonly code: Code;
}

export class ModuleBuilder {
  readonly #imports: (Callee & { readonly name: string })[] = [];
  readonly #functions: Definition[] = [];

  /** Imported functions come first: call before any `function`. */
  import(name: string, params: readonly ValueType[], result?: ValueType): Callee {
    if (this.#functions.length > 0) throw new Error('imports must come before functions');
    const callee = { name, index: this.#imports.length, params, result };
    this.#imports.push(callee);
    return callee;
  }

  /** Defines a function; it is exported when it has a name. */
  function<const P extends readonly ValueType[]>(
    options: { readonly name?: string; readonly params: P; readonly result?: ValueType },
    body: (code: Code, ...params: Locals<P>) => void,
  ): Callee {
    const { params, result } = options;
    const code = new Code(params.length);
    const index = this.#imports.length + this.#functions.length;
    const definition = { exported: options.name, index, params, result, code };
    this.#functions.push(definition);
    body(code, ...(params.map((type, i) => localAt(type, i)) as unknown as Locals<P>));
    return definition;
  }

  /** The module's bytes; it imports `env.memory` and the constant `env.scratch`. */
  bytes(memory: { readonly shared: boolean; readonly maximumPages: number }): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    for (const b of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(b);
    const all: readonly Callee[] = [...this.#imports, ...this.#functions];
    section(out, 1, all, (s, { params, result }) => {
      s.byte(0x60);
      s.unsigned(params.length);
      for (const p of params) s.byte(TYPE_CODE[p]);
      s.unsigned(result === undefined ? 0 : 1);
      if (result !== undefined) s.byte(TYPE_CODE[result]);
    });
    section(out, 2, ['memory', 'scratch', ...this.#imports] as const, (s, item) => {
      s.name('env');
      s.name(typeof item === 'string' ? item : item.name);
      if (item === 'memory') {
        for (const b of [2, memory.shared ? 3 : 1, 1]) s.byte(b);
        s.unsigned(memory.maximumPages);
      } else if (item === 'scratch') for (const b of [3, TYPE_CODE.i32, 0]) s.byte(b);
      else {
        s.byte(0);
        s.unsigned(item.index);
      }
    });
    section(out, 3, this.#functions, (s, f) => s.unsigned(f.index));
    section(
      out,
      7,
      this.#functions.filter((f) => f.exported !== undefined),
      (s, f) => {
        s.name(f.exported!);
        s.byte(0);
        s.unsigned(f.index);
      },
    );
    section(out, 10, this.#functions, (s, { code }) => {
      const body = new Bytes();
      const runs = code.locals.reduce<[ValueType, number][]>((list, type) => {
        const last = list.at(-1);
        if (last?.[0] === type) last[1]++;
        else list.push([type, 1]);
        return list;
      }, []);
      body.unsigned(runs.length);
      for (const [type, count] of runs) {
        body.unsigned(count);
        body.byte(TYPE_CODE[type]);
      }
      body.append(code.out.view());
      body.byte(0x0b);
      s.block(body);
    });
    return out.view().slice();
  }
}

function section<T>(out: Bytes, id: number, items: readonly T[], write: (s: Bytes, item: T) => void): void {
  const content = new Bytes();
  content.unsigned(items.length);
  for (const item of items) write(content, item);
  out.byte(id);
  out.block(content);
}
