import { describe, expect, it } from 'vitest'
import { CompileError, CostLimitError, EvaluationError } from './cel-error.ts'
import { compile } from './environment.ts'
import { fromJson } from './json-values.ts'
import { dyn, int, listOf, mapOf, objectType, string } from './types.ts'
import type { Value } from './values.ts'

const variables = {
  x: dyn,
  n: int,
  text: string,
  numbers: listOf(int),
  labels: mapOf(string, string),
  pod: objectType('Pod', { name: string, replicas: int }),
}
const json: Readonly<Record<string, unknown>> = {
  x: { a: { b: [1, 2.5, 'three', null] }, 'dash-key': true },
  n: 7,
  text: 'grün',
  numbers: [3, 1, 2],
  labels: { app: 'web' },
}

const run = (source: string): Value => compile(source, { variables }).evaluate(name => fromJson(json[name])).value
const problem = (source: string): string => {
  try {
    return `value ${JSON.stringify(run(source))}`
  } catch (error) {
    if (error instanceof CompileError || error instanceof EvaluationError || error instanceof CostLimitError)
      return error.message
    throw error
  }
}

describe('expressions that hold', () => {
  it.each([
    '1 + 2 * 3 == 7',
    '7 / 2 == 3 && -7 / 2 == -3 && -7 % 2 == -1',
    '1.5 + 1.5 == 3.0',
    '2 > 1.5',
    'dyn(1) == 1.0',
    '9223372036854775807 > 0',
    '-9223372036854775808 < 0',
    '0x1F == 31',
    '5u + 1u == 6u',
    '"a" + \'b\' == "ab"',
    'r"\\d" == "\\\\d"',
    '"""a\nb""" == "a\\nb"',
    'b"abc" == bytes("abc")',
    '"\\u00fc" == "ü"',
    'size("grün") == 4',
    'text.size() == 4',
    '[1, 2, 3][1] == 2',
    '2 in [1, 2]',
    '!("x" in {"a": 1})',
    '{"a": 1}.a == 1',
    '{"a": 1}["a"] == 1',
    'size({"a": 1}) == 1',
    '{1: "x"}[1] == "x"',
    '[[1], [2]] == [[1], [2]]',
    'x.a.b[0] == 1',
    'x.a.b[1] == 2.5',
    'has(x.a)',
    '!has(x.c)',
    'x["dash-key"]',
    'x.a.b[3] == null',
    'labels.app == "web"',
    'labels == {"app": "web"}',
    'numbers.all(i, i > 0)',
    'numbers.exists(i, i == 3)',
    'numbers.exists_one(i, i > 2)',
    'numbers.map(i, i * 2) == [6, 2, 4]',
    'numbers.filter(i, i > 1) == [3, 2]',
    'numbers.map(i, i > 1, i) == [3, 2]',
    'labels.all(k, k == "app")',
    'numbers.all(i, v, i < 3 && v > 0)',
    'numbers.exists(i, v, i == 2 && v == 2)',
    'numbers.transformList(i, v, v + i) == [3, 2, 4]',
    '{"a": 1}.transformMap(k, v, v + 1) == {"a": 2}',
    '{"a": "b"}.transformMapEntry(k, v, {v: k}) == {"b": "a"}',
    '[dyn(1), "a", 2].all(i, i == 1 || true)',
    'false && 1 / 0 == 1 || true',
    '1 / 0 == 1 || true',
    '[0, 1].exists(i, 1 / i == 1)',
    'true ? true : 1 / 0 == 1',
    'x.?a.b[0].orValue(5) == 1',
    'x.?missing.b.orValue(5) == 5',
    '!x.?missing.hasValue()',
    'labels[?"app"].value() == "web"',
    '[1, ?optional.none()] == [1]',
    '{?"a": optional.of(1)} == {"a": 1}',
    '[1, 2].first().value() == 1',
    '[1, 2].last().value() == 2',
    '[1, 2].filter(i, i > 2).first().orValue(7) == 7',
    '![].last().hasValue()',
    'optional.of(2).optMap(v, v * 2).value() == 4',
    'optional.of(2).optFlatMap(v, optional.none()).or(optional.of(7)).value() == 7',
    'optional.ofNonZeroValue("").orValue("d") == "d"',
    'type(1) == int && type("") == string && type([]) == list && type(null) == null_type',
    'type(x.a.b[0]) == int',
    'type(type(1)) == type',
    'int("42") == 42 && string(42) == "42" && double("1.5") == 1.5',
    'int(-1.9) == -1',
    'string(1.0) == "1" && string(1e100) == "1e+100"',
    'timestamp("2026-11-21T10:00:00Z") + duration("1h") == timestamp("2026-11-21T11:00:00Z")',
    'timestamp("2026-11-21T10:00:00+02:00").getHours() == 8',
    'timestamp("2026-11-21T10:00:00Z").getHours("America/New_York") == 5',
    'timestamp("2026-01-03T00:00:00Z").getDayOfYear() == 2',
    'timestamp("2026-11-21T00:00:00Z").getDayOfMonth() == 20 && timestamp("2026-11-21T00:00:00Z").getDate() == 21',
    'duration("1h30m") > duration("89m")',
    'string(duration("1m1.5s")) == "61.5s"',
    'duration("90s").getMinutes() == 1',
    'string(timestamp("2026-11-21T10:00:00.5Z")) == "2026-11-21T10:00:00.5Z"',
    '"hello".matches("^h.*o$")',
    '"a1b22".findAll("[0-9]+") == ["1", "22"]',
    '"a1b22".find("[0-9]+") == "1"',
    '"abc".substring(1) == "bc" && "tacocat".substring(0, 4) == "taco"',
    '"a,b,c".split(",") == ["a", "b", "c"] && "a,b,c".split(",", 2) == ["a", "b,c"]',
    '["a", "b"].join("-") == "a-b"',
    '"abc".replace("b", "x") == "axc"',
    '"  x ".trim() == "x"',
    '"ABC".lowerAscii() == "abc"',
    '"tacocat".indexOf("ac") == 1 && "tacocat".lastIndexOf("a") == 5',
    '"abc".charAt(1) == "b"',
    '"%s has %d of %.2f".format(["a", 3, 1.5]) == "a has 3 of 1.50"',
    'strings.quote("a\\"b") == "\\"a\\\\\\"b\\""',
    '[1, 2, 3].isSorted() && ![2, 1].isSorted()',
    '[1, 2, 3].sum() == 6',
    '[3, 1].min() == 1 && [3, 1].max() == 3',
    '[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2',
    '[3, 1, 2].sort() == [1, 2, 3]',
    '[1, 1, 2].distinct() == [1, 2]',
    '[[1], [2, 3]].flatten() == [1, 2, 3]',
    '[1, 2, 3].slice(1, 3) == [2, 3]',
    '[1, 2].reverse() == [2, 1]',
    'lists.range(3) == [0, 1, 2]',
    '[{"a": 2}, {"a": 1}].sortBy(e, e.a)[0].a == 1',
    'sets.contains([1, 2, 3], [2])',
    'sets.intersects([1], [1, 2])',
    'sets.equivalent([1, 2], [2, 1, 1])',
    'quantity("1Gi").isGreaterThan(quantity("1G"))',
    'quantity("500m").add(quantity("500m")) == quantity("1")',
    'isQuantity("1x") == false',
    'quantity("50k").asInteger() == 50000',
    'quantity("1").compareTo(quantity("2")) == -1',
    'ip("192.168.0.1").family() == 4',
    'ip("::1").isLoopback()',
    'cidr("10.0.0.0/8").containsIP("10.1.2.3")',
    'cidr("10.0.0.0/8").containsCIDR(cidr("10.1.0.0/16"))',
    '!isIP("1.2.3")',
    'string(cidr("10.1.2.3/8").masked()) == "10.0.0.0/8"',
    'ip.isCanonical("2001:db8::68")',
    'string(ip("2001:0db8:0:0::1")) == "2001:db8::1"',
    'url("https://user@example.com:80/a b?x=1&x=2").getPort() == "80"',
    'url("https://example.com/p?x=1").getQuery() == {"x": ["1"]}',
    'isURL("/path") && !isURL("relative")',
    'semver("1.2.3").isLessThan(semver("1.2.4-alpha"))',
    'semver("1.0.0-rc.1").compareTo(semver("1.0.0")) == -1',
    'isSemver("v1.0", true) && !isSemver("v1.0")',
    '!format.dns1123Label().validate("abc").hasValue()',
    'format.named("uuid").value().validate("x").hasValue()',
    'x.`dash-key`',
    'x.a.b[dyn(1u)] == 2.5 && x.a.b[dyn(1.0)] == 2.5',
    '!x.a.b[3].?c.hasValue() && !x.a.b[0][?1].hasValue() && !has(x.a.b[3].c)',
  ])('%s', source => {
    expect(problem(source)).toBe('value true')
  })
})

describe('expressions that do not compile', () => {
  it.each([
    [
      'n +',
      "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | n +\n | ...^",
    ],
    ['missing == 1', "ERROR: <input>:1:1: undeclared reference to 'missing' (in container '')\n | missing == 1\n | ^"],
    [
      'n == "1"',
      "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'\n | n == \"1\"\n | ..^",
    ],
    ['pod.nam == "x"', 'ERROR: <input>:1:4: undefined field \'nam\'\n | pod.nam == "x"\n | ...^'],
    ['size(1)', "ERROR: <input>:1:5: found no matching overload for 'size' applied to '(int)'\n | size(1)\n | ....^"],
    [
      'text.startsWith(1)',
      "ERROR: <input>:1:16: found no matching overload for 'startsWith' applied to 'string.(int)'\n | text.startsWith(1)\n | ...............^",
    ],
    [
      'quantity("1").foo == 1',
      'ERROR: <input>:1:14: unexpected failed resolution of \'kubernetes.Quantity\'\n | quantity("1").foo == 1\n | .............^',
    ],
    [
      'ip("::1").foo == 1',
      'ERROR: <input>:1:10: type \'net.IP\' does not support field selection\n | ip("::1").foo == 1\n | .........^',
    ],
    ['n.foo', "ERROR: <input>:1:2: type 'int' does not support field selection\n | n.foo\n | .^"],
    ['[1, "a"]', "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, \"a\"]\n | ....^"],
    [
      'n.all(i, true)',
      "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | n.all(i, true)\n | ^",
    ],
    // Only expressions about devices have it.
    [
      'cel.bind(1, 2, 3)',
      "ERROR: <input>:1:1: undeclared reference to 'cel' (in container '')\n | cel.bind(1, 2, 3)\n | ^\nERROR: <input>:1:9: undeclared reference to 'bind' (in container '')\n | cel.bind(1, 2, 3)\n | ........^",
    ],
    [
      'unknown(1)',
      "ERROR: <input>:1:8: undeclared reference to 'unknown' (in container '')\n | unknown(1)\n | .......^",
    ],
    ['"x".matches("(")', 'ERROR: <input>:1:13: invalid matches argument\n | "x".matches("(")\n | ............^'],
    ['has(n)', 'ERROR: <input>:1:5: invalid argument to has() macro\n | has(n)\n | ....^'],
    [
      'n # 1',
      "ERROR: <input>:1:3: Syntax error: token recognition error at: '#'\n | n # 1\n | ..^\nERROR: <input>:1:5: Syntax error: extraneous input '1' expecting <EOF>\n | n # 1\n | ....^",
    ],
  ])('%s', (source, message) => {
    expect(problem(source)).toBe(message)
  })
})

describe('evaluations that fail', () => {
  it.each([
    ['1 / 0 == 1', 'division by zero'],
    ['9223372036854775807 + 1 > 0', 'integer overflow'],
    ['x.missing == 1', 'no such key: missing'],
    ['numbers[5] == 1', 'index out of bounds: 5'],
    ['x.a.b[2].startsWith("t") && x.a.b[0].startsWith("t")', 'no such overload: startsWith(int, string)'],
    ['x.a + 1 == 2', 'no such overload: _+_'],
    ['x.a.b[0] + "a" == "2"', 'no such overload'],
    ['x.a.b[2] - 1 == 2', 'no such overload'],
    ['x.a < 1', 'no such overload: _<_'],
    ['-x.a == 1', 'no such overload: -_'],
    ['!x.a', 'no such overload'],
    ['1 in x.a.b[0]', 'no such overload'],
    ['size(x.a.b[0]) == 1', 'no such overload: size'],
    ['x.a.b[0].matches("a")', 'no such overload: matches'],
    ['optional.none().value() == 1', 'optional.none() dereference'],
    ['int("a") == 1', "type conversion error from 'string' to 'int'"],
    ['int("9223372036854775808") == 1', "type conversion error from 'string' to 'int'"],
    ['uint("-1") == 1u', "type conversion error from 'string' to 'uint'"],
    ['double("1e") == 1.0', "type conversion error from 'string' to 'double'"],
    ['duration(text) == duration("1s")', "type conversion error from 'string' to 'google.protobuf.Duration'"],
    ['timestamp(text) == timestamp(0)', "type conversion error from 'string' to 'google.protobuf.Timestamp'"],
    ['x.a.b[3].c == 1', 'no such key: c'],
    ['x.a.b[2].c == 1', 'no such key: c'],
    ['x.a.b[0][1] == 1', 'no such key: 1'],
    ['x.a.b["c"] == 1', "unsupported index type 'string' in list"],
    ['x.a.b.c == 1', "unsupported index type 'string' in list"],
    ['x.a.b[1.5] == 1', 'unsupported index value 1.5 in list'],
    ['x.a[1] == 1', 'no such key: 1'],
    ['x[2u] == 1', 'no such key: 2'],
    ['numbers[-1] == 1', 'index out of bounds: -1'],
    ['[x].transformMapEntry(i, v, dyn(3)).size() == 1', 'no such overload: cel.@mapInsert(map, int)'],
    ['[1].map(i, i / 0) == [1]', 'division by zero'],
    ['[0, 0].all(i, 1 / i == 1)', 'division by zero'],
  ])('%s', (source, message) => {
    expect(problem(source)).toBe(message)
  })

  it('a runaway expression ends at its limit', () => {
    const source = `[${Array.from({ length: 200 }, (_, index) => index).join(', ')}]`
    expect(problem(`${source}.all(a, ${source}.all(b, ${source}.all(c, a + b + c >= 0)))`)).toBe(
      'operation cancelled: actual cost limit exceeded',
    )
    expect(problem(`lists.range(100000).map(a, lists.range(100000)).size() > 0`)).toBe(
      'operation cancelled: actual cost limit exceeded',
    )
  })
})
