// How a new version takes over: `strategy`.
import { anyText, check, namedKeys, wholeNumber } from './field-values.ts'
import type { Choice, Fields } from './field.ts'
import { inStrategy } from './foreign-names.ts'

const canaryStep: Fields = {
  type: 'object',
  fields: {
    percent: {
      is: wholeNumber(1, 99, 'percent from 1 to 99'),
      required: true,
      about: 'share of the requests that the new version gets',
    },
    seconds: {
      is: wholeNumber(0, 86_400, 'seconds from 0 to 86400'),
      required: true,
      about: 'how long it is watched before the next step',
    },
  },
}

const query: Fields = {
  type: 'object',
  fields: {
    query: { is: anyText, required: true, about: 'PromQL with one number as its value' },
    maximum: {
      is: { type: 'number', minimum: -Infinity, maximum: Infinity, expected: 'a number', fractions: true },
      required: true,
      about: 'more than this ends the release',
    },
  },
}

const analysis: Fields = {
  type: 'object',
  fields: {
    maxRestarts: {
      is: wholeNumber(0, 1000, 'a number of restarts'),
      about: 'how often its instances may be started again; by default never',
    },
    run: { is: check, about: 'program that ends with 0 when the new version is well' },
    queries: {
      is: {
        type: 'map',
        ...namedKeys,
        keyName: 'query name',
        keyRule: 'lower-case letters, digits and dashes, a letter first',
        example: '{ errors: { query: "sum(rate(errors[1m]))", maximum: 0.1 } }',
        values: query,
      },
      about: 'what a Prometheus is asked, where the environment has one',
    },
  },
}

const kinds: Choice = { type: 'choice', values: ['rolling', 'recreate', 'blue-green', 'canary'] }

export const strategy: Fields = {
  type: 'object',
  short: { is: kinds, as: 'kind' },
  distinguishedBy: 'kind',
  fields: {
    kind: {
      is: kinds,
      required: true,
      about: 'how a new version takes over',
    },
    steps: {
      is: { type: 'list', items: canaryStep },
      about: 'of canary; by default 10 % and 50 %, 30 seconds each',
    },
    analysis: { is: analysis, about: 'of canary: when the new version is not well' },
  },
  foreign: inStrategy,
}
