import { expect, test } from 'vitest'
import { MetricRegistry } from './metrics.ts'

test('the text form of every kind of metric', () => {
  const registry = new MetricRegistry()
  const requests = registry.counter('requests_total', 'Requests.', 'verb', 'code')
  requests.at('GET', '200').add()
  requests.at('GET', '200').add(2)
  requests.at('GET', '404').add()
  registry.gauge('open', 'Open things,\nnow.').at().set(7)
  const times = registry.histogram('seconds', 'Times.', [0.1, 1], 'what')
  for (const value of [0.05, 0.1, 0.5, 3]) times.at('a "b"').observe(value)
  registry.read('gauge', 'objects', 'Objects.', ['kind'], () => [
    [['pods'], 3],
    [['nodes'], 1],
  ])
  registry.counter('never_total', 'Nothing happened.', 'x')
  expect(registry.text()).toBe(`# HELP objects Objects.
# TYPE objects gauge
objects{kind="pods"} 3
objects{kind="nodes"} 1
# HELP open Open things,\\nnow.
# TYPE open gauge
open 7
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{verb="GET",code="200"} 3
requests_total{verb="GET",code="404"} 1
# HELP seconds Times.
# TYPE seconds histogram
seconds_bucket{what="a \\"b\\"",le="0.1"} 2
seconds_bucket{what="a \\"b\\"",le="1"} 3
seconds_bucket{what="a \\"b\\"",le="+Inf"} 4
seconds_sum{what="a \\"b\\""} 3.65
seconds_count{what="a \\"b\\""} 4
`)
})
