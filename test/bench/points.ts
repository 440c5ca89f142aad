/** Many points whose discrete logarithms are known. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { Point } from '../../runtime/curve/spec.ts';

/** Compressed points G, 2 G, 3 G, ... */
export function multiplesOfBase(count: number): Uint8Array {
  const { Fp } = bls12_381.fields;
  const { x, y } = Point.BASE.toAffine();
  const out = new Uint8Array(48 * count);
  const write = (i: number, px: bigint, py: bigint): void => {
    let rest = px;
    for (let k = 47; k >= 0; k--, rest >>= 8n) out[48 * i + k] = Number(rest & 255n);
    out[48 * i] |= 0x80 | (2n * py > Fp.ORDER ? 0x20 : 0);
  };
  // Blocks of the first multiples, moved on together by one point: an inversion for a block.
  const size = Math.min(count, 4096);
  const block: { x: bigint; y: bigint }[] = [];
  let point = Point.BASE;
  for (let i = 0; i < size; i++) {
    block.push(point.toAffine());
    point = point.add(Point.BASE);
  }
  let at = 0;
  const step = Point.BASE.multiply(BigInt(size)).toAffine();
  for (let first = 0; first < count; first += size) {
    if (first > 0) {
      const inverses = Fp.invertBatch(block.map((p) => Fp.sub(step.x, p.x)));
      block.forEach((p, i) => {
        // The one that is the step itself is doubled.
        const slope =
          p.x === step.x ? Fp.div(Fp.mul(3n, Fp.sqr(p.x)), Fp.mul(2n, p.y)) : Fp.mul(Fp.sub(step.y, p.y), inverses[i]);
        const px = Fp.sub(Fp.sub(Fp.sqr(slope), p.x), step.x);
        block[i] = { x: px, y: Fp.sub(Fp.mul(slope, Fp.sub(p.x, px)), p.y) };
      });
    }
    for (const p of block.slice(0, count - first)) write(at++, p.x, p.y);
  }
  if (out[0] !== (0x80 | (2n * y > Fp.ORDER ? 0x20 : 0)) + Number(x >> 376n))
    throw new Error('the first point is wrong');
  return out;
}
