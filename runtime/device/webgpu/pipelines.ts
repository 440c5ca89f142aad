/** Kernels as pipelines, made when they are first run and kept: their whole text, and what they bind. */
import type { WgslField } from '../../kernels/wgsl/field/field.ts';
import { mac } from '../../kernels/wgsl/field/field.ts';
import { accessDeclarations, vectorDeclarations } from '../../kernels/wgsl/access.ts';
import { smallDeclarations } from '../../kernels/wgsl/field/small.ts';
import { assemble, type Declaration } from '../../kernels/wgsl/source.ts';
import { STAGE_COMPUTE } from './constants.ts';
import { PARAMETER_QUADS } from './memory/params.ts';

/** A kernel's entry point, and what it may reach besides the field's functions and `kernels/wgsl/access.ts`. */
export interface KernelSource {
  /** In error messages, and the key under which its pipeline is kept: one name, one text. */
  readonly name: string;
  /** For kernels whose invocations write different words of one quad: see `accessDeclarations`. */
  readonly byWords?: boolean;
  source(): { readonly library: readonly Declaration[]; readonly entry: string };
}

export interface Fields {
  readonly fr: WgslField;
  readonly fq: WgslField;
}

/** Bytes of a kernel's parameters. */
export const WINDOW = 16 * PARAMETER_QUADS;

/** Told of the error scope of each pipeline, and how to ask for what the compiler said of it. */
export type OnMade = (scope: Promise<GPUError | null>, kernel: string, detail: () => Promise<string>) => void;

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #fields: Fields;
  readonly #onMade: OnMade;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice, fields: Fields, onMade: OnMade) {
    this.#device = device;
    this.#fields = fields;
    this.#onMade = onMade;
  }

  /** @param slots arenas that it binds; after them, with `atomics`, a buffer of counters */
  of(kernel: KernelSource, slots: number, atomics: boolean): GPUComputePipeline {
    const key = `${slots} ${kernel.name}`;
    let pipeline = this.#pipelines.get(key);
    if (pipeline === undefined) {
      const code = shaderText(this.#fields, kernel, slots);
      this.#device.pushErrorScope('validation');
      const module = this.#device.createShaderModule({ label: kernel.name, code });
      pipeline = this.#device.createComputePipeline({
        label: kernel.name,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [this.layout(slots, atomics)] }),
        compute: { module, entryPoint: 'main' },
      });
      this.#onMade(this.#device.popErrorScope(), kernel.name, () => messagesOf(module));
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  /** Binding 0 has the parameters, bindings from 1 on have storage. */
  layout(slots: number, atomics: boolean): GPUBindGroupLayout {
    const key = `${slots} ${atomics}`;
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      const storage = (binding: number): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: STAGE_COMPUTE,
        buffer: { type: 'storage' },
      });
      const uniform: GPUBindGroupLayoutEntry = {
        binding: 0,
        visibility: STAGE_COMPUTE,
        buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: WINDOW },
      };
      const count = slots + (atomics ? 1 : 0);
      const entries = [uniform, ...Array.from({ length: count }, (_, i) => storage(i + 1))];
      layout = this.#device.createBindGroupLayout({ entries });
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

/** The whole text of a kernel. */
export function shaderText(fields: Fields, kernel: KernelSource, arenas: number): string {
  const { library, entry } = kernel.source();
  const shared = [
    ...accessDeclarations(arenas, PARAMETER_QUADS, kernel.byWords),
    mac,
    ...fields.fr.declarations,
    ...fields.fq.declarations,
  ];
  return assemble([...shared, ...vectorDeclarations, ...smallDeclarations(fields.fr), ...library], entry);
}

async function messagesOf(module: GPUShaderModule): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  return messages.map((m) => `line ${m.lineNum}: ${m.message}`).join('; ');
}
