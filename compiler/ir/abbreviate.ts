/** Long lists in printed programs. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** How many values are shown at each end. */
const SHOWN = 4;

/** All items, or of many the first and the last ones. */
export const ends = (items: readonly string[], shown = SHOWN): string =>
  (items.length <= 2 * shown ? items : [...items.slice(0, shown), '..', ...items.slice(-shown)]).join(' ');

/**
 * The same, and where some are left out the SHA-256 of all, joined by blanks: two lists never print alike.
 *
 * @param items without blanks, or quoted
 */
export const abbreviate = (items: readonly string[], shown = SHOWN): string =>
  `${ends(items, shown)}${items.length <= 2 * shown ? '' : ` (sha256 ${digest(items.join(' '))})`}`;

const digest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));
