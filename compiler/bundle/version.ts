/** What names this format and this release: in the header of every file and at the start of every hash. */
import { utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * Version of the files and of the protocol, together: a file of another version is refused by name, and what is hashed under one
 * never equals what is hashed under another.
 */
export const FORMAT_VERSION = 3;

/** The release of zkl, as in package.json. It enters the prover's randomness: two releases may send different messages for one statement. */
export const RELEASE = '0.1.0';

/** Separates the uses of a hash function from each other. */
export const domainTag = (purpose: string): Uint8Array => utf8ToBytes(`zkl/${FORMAT_VERSION} ${purpose}`);
