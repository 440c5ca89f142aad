/** `over adapter "*.lora_A.weight"`: which tensors are trained. */
import type * as ast from '../../../grammar/ast.ts';
import type { Tensor } from '../../ir/tensor/program.ts';
import type { Frame, Session } from '../context.ts';
import { sourceKey } from '../names/scope.ts';

/** `*` stands for any text. */
export function matchesPattern(name: string, pattern: string): boolean {
  const literal = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`).test(name);
}

/** The tensors of which a weight matches. */
export function trainedTensors(session: Session, frame: Frame, node: ast.Minimize): Tensor[] {
  return session.tensors.filter(({ file, role }) =>
    node.over.some(({ source, pattern }) => {
      const binding = frame.scope.find(sourceKey(source.text));
      if (file === undefined || role !== 'input' || binding?.kind !== 'source' || binding.source !== file.source)
        return false;
      return pattern === undefined || file.names.some((name) => matchesPattern(name, pattern.text));
    }),
  );
}
