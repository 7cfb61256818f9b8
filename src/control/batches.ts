// Many similar writes at once, starting with one and doubling while all goes well, so that a quota or a
// broken template costs one refused request and not hundreds.

/** Runs `action` up to `count` times; stops after the first batch with a failure, which it throws. */
export async function slowStart(
  count: number,
  action: (index: number) => Promise<void>,
  firstBatch = 1,
): Promise<void> {
  for (let done = 0, size = firstBatch; done < count; done += size, size *= 2) {
    const batch = Array.from({ length: Math.min(size, count - done) }, (_, index) => action(done + index))
    const failure = (await Promise.allSettled(batch)).find(result => result.status === 'rejected')
    if (failure !== undefined) throw failure.reason
  }
}
