/** What a bundle's proofs state, for people. */
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import { statementOf } from '../../../runtime/inspect/statement.ts';
import { shown } from './terminal.ts';
import { columns, shape } from './text.ts';

export function statementText(bundle: Bundle): string {
  const rows = statementOf(bundle).map((t) => [
    `  ${t.visibility}`,
    `${shown(t.name)}${shape(t.shape)}`,
    t.type,
    `1 = ${t.scale}`,
    [t.source === undefined ? '' : `${t.visibility === 'secret output' ? 'in' : 'from'} ${t.source}`, t.at ?? '']
      .filter((s) => s !== '')
      .join(', '),
  ]);
  return columns(rows);
}
