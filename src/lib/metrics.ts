// Counters, gauges and histograms, and their text form for Prometheus. A library for this costs 30 ms and
// 20 MB at every start, several times what the whole of it does here.
// Source of the text form: https://prometheus.io/docs/instrumenting/exposition_formats/

type Kind = 'counter' | 'gauge' | 'histogram'

interface Family {
  readonly name: string
  readonly help: string
  readonly kind: Kind
  samples(): Iterable<string>
}

const escapedLabel = (value: string): string =>
  value.replace(/[\\"\n]/g, character => (character === '\n' ? '\\n' : `\\${character}`))

const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.map((name, index) => `${name}="${escapedLabel(values[index]!)}"`).join(',')

const withLabels = (name: string, labels: string): string => (labels === '' ? name : `${name}{${labels}}`)

/** Children of one family, one for each combination of label values. */
class Children<T> {
  private readonly byKey = new Map<string, { readonly labels: string; readonly child: T }>()
  private readonly labelNames: readonly string[]
  private readonly make: () => T

  constructor(labelNames: readonly string[], make: () => T) {
    this.labelNames = labelNames
    this.make = make
  }

  at(values: readonly string[]): T {
    const key = values.length === 1 ? values[0]! : values.join('\0')
    let found = this.byKey.get(key)
    if (found === undefined)
      this.byKey.set(key, (found = { labels: labelText(this.labelNames, values), child: this.make() }))
    return found.child
  }

  entries(): Iterable<{ readonly labels: string; readonly child: T }> {
    return this.byKey.values()
  }
}

class Value {
  value = 0

  /** @param amount may be negative for a gauge */
  add(amount = 1): void {
    this.value += amount
  }

  set(value: number): void {
    this.value = value
  }
}

/** A number of its own for each combination of label values. */
export class Values {
  private readonly children: Children<Value>

  constructor(labelNames: readonly string[]) {
    this.children = new Children(labelNames, () => new Value())
  }

  /** @param values of the labels, in the order of their names */
  at(...values: string[]): Value {
    return this.children.at(values)
  }

  *samples(name: string): Iterable<string> {
    for (const { labels, child } of this.children.entries()) yield `${withLabels(name, labels)} ${child.value}`
  }
}

class Distribution {
  readonly counts: number[]
  sum = 0
  private readonly bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    let index = 0
    while (index < this.bounds.length && value > this.bounds[index]!) index++
    this.counts[index]!++
    this.sum += value
  }
}

export class Histogram {
  private readonly children: Children<Distribution>
  private readonly bounds: readonly number[]

  constructor(labelNames: readonly string[], bounds: readonly number[]) {
    this.bounds = bounds
    this.children = new Children(labelNames, () => new Distribution(bounds))
  }

  at(...values: string[]): Distribution {
    return this.children.at(values)
  }

  *samples(name: string): Iterable<string> {
    for (const { labels, child } of this.children.entries()) {
      const prefix = labels === '' ? '' : `${labels},`
      let count = 0
      for (const [index, bound] of [...this.bounds, '+Inf'].entries()) {
        count += child.counts[index]!
        yield `${name}_bucket{${prefix}le="${bound}"} ${count}`
      }
      yield `${withLabels(`${name}_sum`, labels)} ${child.sum}`
      yield `${withLabels(`${name}_count`, labels)} ${count}`
    }
  }
}

export class MetricRegistry {
  private readonly families: Family[] = []

  counter(name: string, help: string, ...labelNames: string[]): Values {
    return this.add(name, help, 'counter', new Values(labelNames))
  }

  gauge(name: string, help: string, ...labelNames: string[]): Values {
    return this.add(name, help, 'gauge', new Values(labelNames))
  }

  /** @param bounds are the upper bounds of the buckets, ascending; the last one, infinity, is added */
  histogram(name: string, help: string, bounds: readonly number[], ...labelNames: string[]): Histogram {
    return this.add(name, help, 'histogram', new Histogram(labelNames, bounds))
  }

  /** A gauge or counter that is read when somebody asks. @param read gives label values and number of each sample */
  read(
    kind: 'gauge' | 'counter',
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<readonly [labels: readonly string[], value: number]>,
  ): void {
    this.families.push({
      name,
      help,
      kind,
      *samples() {
        for (const [values, value] of read()) yield `${withLabels(name, labelText(labelNames, values))} ${value}`
      },
    })
  }

  /** The text form, version 0.0.4. */
  text(): string {
    const lines: string[] = []
    for (const family of this.families.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
      const { name, help, kind } = family
      const found = [...family.samples()]
      if (found.length > 0)
        lines.push(
          `# HELP ${name} ${help.replace(/[\\\n]/g, character => (character === '\n' ? '\\n' : '\\\\'))}`,
          `# TYPE ${name} ${kind}`,
          ...found,
        )
    }
    return `${lines.join('\n')}\n`
  }

  private add<T extends { samples(name: string): Iterable<string> }>(
    name: string,
    help: string,
    kind: Kind,
    family: T,
  ): T {
    this.families.push({ name, help, kind, samples: () => family.samples(name) })
    return family
  }
}
