/** A name like the one that was given. */
import { closest, distance } from 'fastest-levenshtein';

/** "did you mean ...?" for a word that is none of the candidates, if one of them is close. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(word, candidates);
  return distance(word, best) <= Math.max(1, Math.floor(word.length / 2)) ? `did you mean ${best}?` : undefined;
}
