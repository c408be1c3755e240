// Waiting for conditions with deadlines. Nothing here or in the test sleeps for a guess.

/** Asks `condition` until it gives something true; fails with `what` after `limit` ms. */
export async function until(what, condition, limit = 20_000) {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not within ${limit} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** `promise`, or a failure with `what` after `limit` ms. */
export function within(what, promise, limit = 20_000) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not within ${limit} ms: ${what}`)), limit);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
