/** From facts to findings: what is well, what is not, and what to do about it. */
import { bytes, plural } from '../show/text.ts';
import type { Facts } from './facts.ts';
import { gpuFindings } from './gpu-findings.ts';

/** `fail`: zkl, or the device asked about, does not work. `warn`: it works worse than it could. `skip`: not needed. */
export type Level = 'ok' | 'warn' | 'fail' | 'skip';

export interface Finding {
  /** Stable, for programs: `node`, `memory`, `gpu.package`, ... */
  readonly id: string;
  readonly level: Level;
  readonly title: string;
  /** What it follows from. */
  readonly evidence: readonly string[];
  /** A command, or a sentence in the imperative; with every `warn` and `fail`. */
  readonly remedy?: string;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** No finding is a failure. */
  readonly ok: boolean;
  readonly verdict: string;
}

const GIB = 2 ** 30;
const OLDEST_NODE = 24;

export function generalFindings(facts: Facts): Finding[] {
  const { node, platform, threads, memory, sharedMemory, wasm, cache } = facts;
  const finding = (id: string, title: string, problem?: Omit<Finding, 'id' | 'title' | 'evidence'>): Finding => ({
    id,
    level: 'ok',
    title,
    evidence: [],
    ...problem,
  });
  return [
    finding('zkl', `zkl ${facts.zkl}`),
    finding(
      'node',
      `Node ${node} on ${platform}`,
      Number.parseInt(node, 10) >= OLDEST_NODE
        ? undefined
        : { level: 'fail', remedy: `install Node ${OLDEST_NODE} or newer, from nodejs.org for instance` },
    ),
    finding(
      'wasm',
      `WebAssembly ${wasm.simd ? 'with' : 'without'} SIMD, ${wasm.fusedMultiplyAdd ? 'with' : 'without'} fused multiply-add`,
      !wasm.simd
        ? { level: 'fail', remedy: 'use a processor with SSE4.1 or NEON, and start Node without --jitless' }
        : wasm.fusedMultiplyAdd
          ? undefined
          : {
              level: 'warn',
              remedy:
                "proofs take about four times as long: use a processor with FMA3 (x86 since 2013) or NEON; in a virtual machine, pass the host's features on (QEMU: -cpu host)",
            },
    ),
    finding(
      'threads',
      sharedMemory ? `${plural(threads, 'thread')} over shared memory` : 'no shared memory: one thread',
      sharedMemory ? undefined : { level: 'warn', remedy: 'start Node without flags that disable SharedArrayBuffer' },
    ),
    finding(
      'memory',
      `${bytes(memory.available)} of memory free, of ${bytes(memory.total)}`,
      memory.available >= GIB / 2
        ? undefined
        : { level: 'warn', remedy: 'close other programs, or raise the memory limit of the container' },
    ),
    cache.directory === undefined
      ? finding('cache', 'no directory to keep files in between runs', {
          level: 'warn',
          remedy: 'set XDG_CACHE_HOME to a directory that you can write to: every run computes its generators anew',
        })
      : finding(
          'cache',
          `files are kept in ${cache.directory}`,
          cache.shared !== undefined
            ? {
                level: 'warn',
                remedy: `nothing in it is believed, as ${cache.shared}: chmod go-w, or set XDG_CACHE_HOME to a directory of your own`,
              }
            : cache.writable
              ? undefined
              : {
                  level: 'warn',
                  remedy: `make ${cache.directory} writable, or set XDG_CACHE_HOME to a directory that is`,
                },
        ),
  ];
}

/** @param required whether the verdict is about the WebGPU device: without a GPU, zkl proves on the processor's cores. */
export function diagnose(facts: Facts, required: boolean): Diagnosis {
  const general = generalFindings(facts);
  const gpu = gpuFindings(facts.gpu, required);
  const findings = [...general, ...gpu.findings];
  const ok = findings.every((f) => f.level !== 'fail');
  const wasm = `--device wasm proves on ${plural(facts.sharedMemory ? facts.threads : 1, 'thread')}`;
  const broken = general.some((f) => f.level === 'fail');
  const usable = [...(broken ? [] : [wasm]), ...(gpu.usable === undefined ? [] : [gpu.usable])];
  const failed = findings.filter((f) => f.level === 'fail').length;
  const warned = findings.filter((f) => f.level === 'warn').length;
  const verdict = ok
    ? `ready${warned > 0 ? `, with ${plural(warned, 'warning')}` : ''}: ${usable.join('; ')}`
    : `not ready: ${plural(failed, 'failure')}, see above${usable.length > 0 ? `; ${usable.join('; ')}` : ''}`;
  return { findings, ok, verdict };
}
