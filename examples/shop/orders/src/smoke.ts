// Asks a new instance before it gets requests: can it read its orders?
const response = await fetch(`${process.env['SAMPAN_TARGET_URL']}/orders`, { signal: AbortSignal.timeout(5_000) })
if (!response.ok) {
  console.error(`GET /orders answered ${response.status}: ${await response.text()}`)
  process.exit(1)
}
console.log('it can read orders')
