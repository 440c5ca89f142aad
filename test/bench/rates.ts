/**
 * What an adapter can do at most, measured with kernels that do nothing else: bytes through its memory, 32-bit integer
 * multiplications. Other results are given as shares of these.
 */
import { BUFFER } from '../../runtime/device/webgpu/constants.ts';

export interface Rates {
  /** Bytes read and written a second by a copy. */
  readonly bytes: number;
  /** 32-bit multiplications, each with an addition, a second. */
  readonly multiplications: number;
}

const WORKGROUP = 64;
/** Workgroups in the first dimension at most. */
const ROW = 32_768;

const copy = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> to: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> from_: array<vec4u>;
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x + id.y * ${ROW * WORKGROUP}u;
  to[i] = from_[i] + vec4u(1u, 2u, 3u, 4u);
}`;

const CHAINS = 8;
const STEPS = 512;

/** Independent chains, so that latency is hidden; their sum is stored, so that none is left out. */
const multiply = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> to: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> from_: array<vec4u>;
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x + id.y * ${ROW * WORKGROUP}u;
  let k = from_[0].x | 1u;
  ${range(CHAINS, (c) => `var x${c} = i + ${c}u;`)}
  for (var s = 0u; s < ${STEPS}u; s++) {
    ${range(CHAINS, (c) => `x${c} = x${c} * k + ${2 * c + 1}u;`)}
  }
  to[i].x = ${Array.from({ length: CHAINS }, (_, c) => `x${c}`).join(' ^ ')};
}`;

function range(n: number, line: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => line(i)).join(' ');
}

/** @param bytes of the buffers that are copied: more than the caches hold, 256 MiB for a GPU */
export async function measureRates(device: GPUDevice, bytes: number): Promise<Rates> {
  const usage = BUFFER.storage;
  const [to, from] = [device.createBuffer({ size: bytes, usage }), device.createBuffer({ size: bytes, usage })];
  const kernel = (code: string): GPUComputePipeline =>
    device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  const run = async (pipeline: GPUComputePipeline, threads: number, times: number): Promise<number> => {
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [to, from].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    const groups = threads / WORKGROUP;
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(Math.min(groups, ROW), Math.ceil(groups / ROW));
    pass.end();
    const commands = encoder.finish();
    const since = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - since) / 1000;
  };
  const best = async (code: string, threads: number, work: number): Promise<number> => {
    const pipeline = kernel(code);
    let times = 1;
    // Long enough that starting it does not count.
    while ((await run(pipeline, threads, times)) < 0.02 && times < 1024) times *= 2;
    let least = Infinity;
    for (let i = 0; i < 3; i++) least = Math.min(least, await run(pipeline, threads, times));
    return (work * times) / least;
  };
  const entries = bytes / 16;
  // Few enough that a processor is done in a moment, enough to fill a GPU.
  const threads = Math.min(entries, 2 ** 20, Math.max(2 ** 12, bytes / 256));
  const rates = {
    bytes: await best(copy, entries, 2 * bytes),
    multiplications: await best(multiply, threads, threads * CHAINS * STEPS),
  };
  to.destroy();
  from.destroy();
  return rates;
}
