/** The worker that computes, so that the page stays answering. One request at a time, in the order they come. */
import { CodecError } from '../../../runtime/verifier/index.ts';
import { GpuError } from '../../../runtime/device/webgpu/index.ts';
import { FormatError } from '../../../models/files/errors.ts';
import { runDemo } from './demo.ts';
import { ExpectedError } from './expected.ts';
import { openMachines } from './machine.ts';
import type { Report, Request } from '../messages.ts';
import { runVerification } from './verify.ts';

const machines = openMachines();
const report: Report = (update) => self.postMessage(update);

async function answer(request: Request): Promise<void> {
  if (request.kind === 'look') return report({ kind: 'machine', machine: await machines.look() });
  const device = await machines.device(request.device);
  if (request.kind === 'demo') await runDemo(device, request.adapter, report);
  else await runVerification(device, request.files, report);
}

function failure(error: unknown): { readonly message: string; readonly remedy: string } {
  if (error instanceof FormatError) return { message: `${error.file}: ${error.problem}`, remedy: error.remedy };
  if (error instanceof ExpectedError)
    return { message: error.message, remedy: 'A digest has 64 hexadecimal digits: `zkl commit` prints it.' };
  if (error instanceof CodecError)
    return { message: error.message, remedy: 'Choose the bundle that `zkl compile` wrote, whole.' };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof GpuError) return { message, remedy: 'Try again, or choose the processor above.' };
  if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError)
    return { message, remedy: 'Close other tabs, or use a browser with more memory for this page.' };
  return { message, remedy: 'Load the page again; if it happens again, please report it.' };
}

let last = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<Request>) => {
  last = last.then(async () => {
    try {
      await answer(data);
    } catch (error) {
      machines.forgetGpu();
      report({ kind: 'failed', ...failure(error) });
    }
    report({ kind: 'end' });
  });
};
