// What the tests use of the program.

export * from '../src/verify/judge';
export { Stretch, Window } from '../src/verify/bytes';
export { BadChain, ChainReader } from '../src/verify/chain';
export { crc32 } from '../src/verify/header';
export { parse } from '../src/verify/json';
export { MediaHasher } from '../src/verify/media';
export { micros } from '../src/verify/moment';
export { signer } from '../src/verify/signature';
export { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
export { sha512 } from '@noble/hashes/sha2.js';
