/** Which doc comments belong to which statement or item. */
import type { Diagnostic } from '../diagnostic.ts';
import type { Comment, Lexed } from './lexer.ts';
import { misplacedDoc } from './messages.ts';
import { keyword } from './tokens.ts';

export interface Docs {
  /** The text of the doc comment of what begins at an offset. */
  readonly at: ReadonlyMap<number, string>;
  /** Those that belong to nothing. */
  readonly misplaced: ReadonlySet<Comment>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * A doc comment is a run of `///` lines directly above an item, a statement, `state`, `derivative` or `train`: nothing
 * else on those lines, and no blank line in between.
 */
export function collectDocs(text: string, { tokens, comments, starts }: Lexed): Docs {
  const undocumented = new Set(
    tokens
      .filter(({ tokenType: type }) => type === keyword.import || type === keyword.minimize)
      .map((t) => t.startOffset),
  );
  const targets = new Set(starts.filter((start) => !undocumented.has(start)));
  const at = new Map<number, string>();
  const misplaced = new Set<Comment>();
  const diagnostics: Diagnostic[] = [];

  let run: Comment[] = [];
  for (const comment of comments) {
    if (!comment.doc) continue;
    run = run.length > 0 && nextLine(text, run[run.length - 1].span.end) === comment.span.start ? run : [];
    if (run.length === 0 && !firstOnLine(text, comment.span.start)) {
      misplaced.add(comment);
      diagnostics.push(misplacedDoc(comment.span));
      continue;
    }
    run.push(comment);
    const next = nextLine(text, comment.span.end);
    if (next !== undefined && /\/\/\/(?!\/)/y.test(text.slice(next, next + 4))) continue;
    if (next !== undefined && targets.has(next)) at.set(next, run.map(contents).join('\n'));
    else {
      for (const part of run) misplaced.add(part);
      diagnostics.push(misplacedDoc({ ...run[0].span, end: comment.span.end }));
    }
    run = [];
  }
  return { at, misplaced, diagnostics };
}

const contents = ({ text }: Comment): string => text.replace(/^\/\/\/ ?/, '');

function firstOnLine(text: string, offset: number): boolean {
  while (offset > 0 && text[offset - 1] !== '\n' && text[offset - 1] !== '\r') {
    offset--;
    if (text[offset].trim() !== '') return false;
  }
  return true;
}

/** Where the text of the next line begins; undefined where that line is blank or there is none. */
function nextLine(text: string, end: number): number | undefined {
  const match = /[^\S\n\r]*(?:\r\n|\n|\r)[^\S\n\r]*(?=[^\s])/y;
  match.lastIndex = end;
  return match.test(text) ? match.lastIndex : undefined;
}
