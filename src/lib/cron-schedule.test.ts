import { describe, expect, it } from 'vitest'
import { parseCronSchedule } from './cron-schedule.ts'

describe('what is wrong with a schedule is told in the words of the parser of Kubernetes', () => {
  it.each([
    ['', 'empty spec string'],
    ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
    ['0 * * * * *', 'expected exactly 5 fields, found 6: [0 * * * * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['*/2/3 * * * *', 'too many slashes: */2/3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['*/-1 * * * *', 'negative number (-1) not allowed: -1'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['L * * * *', 'failed to parse int from L: strconv.Atoi: parsing "L": invalid syntax'],
    ['* * 15W * *', 'failed to parse int from 15W: strconv.Atoi: parsing "15W": invalid syntax'],
    ['* * * * 5#2', 'failed to parse int from 5#2: strconv.Atoi: parsing "5#2": invalid syntax'],
    ['* mon * * *', 'failed to parse int from mon: strconv.Atoi: parsing "mon": invalid syntax'],
    [
      '99999999999999999999 * * * *',
      'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ['@Daily', 'unrecognized descriptor: @Daily'],
    ['@reboot', 'unrecognized descriptor: @reboot'],
    ['@every', 'unrecognized descriptor: @every'],
    ['@every 1 hour', 'failed to parse duration @every 1 hour: time: invalid duration "1 hour"'],
  ])('%s: %s', (text, problem) => {
    expect(parseCronSchedule(text)).toBe(problem)
  })

  it.each([
    '+5 * * * *',
    ' 1   2 3 4 5 ',
    '*-7 * * * *',
    '1/100 * * * *',
    '@every -1h',
    '@every .5h',
    '@every 1h30m5.5s',
  ])('%s is none', text => {
    expect(parseCronSchedule(text)).not.toBeTypeOf('string')
  })
})
