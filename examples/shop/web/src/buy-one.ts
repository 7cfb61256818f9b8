// Buys something from what runs now, through everything that a customer's order goes through.
const url = `${process.env['SAMPAN_TARGET_URL']}/buy`
const response = await fetch(url, {
  method: 'POST',
  body: JSON.stringify({ article: 'a test' }),
  signal: AbortSignal.timeout(10_000),
})
const answer = await response.text()
console.log(`POST /buy answered ${response.status}: ${answer}`)
if (response.status !== 201) process.exit(1)
