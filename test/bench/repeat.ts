/** Milliseconds of several runs of something, after unmeasured ones: engines compile what runs often once they have seen it. */
export async function repeat(runs: number, body: () => Promise<number>): Promise<number[]> {
  const until = performance.now() + 500;
  for (let i = 0; i === 0 || (i < runs && performance.now() < until); i++) await body();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) times.push(await body());
  return times;
}
