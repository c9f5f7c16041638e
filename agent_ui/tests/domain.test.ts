// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { agentLines, alarmsOf, queueLines, wholeDay } from '../domain/queues'
import type { EntryRow } from '../net/frames'
import { VARIANTS, type QueueNow } from '../net/metrics'
import { formatOf, OutlineReader } from '../domain/wave'

const entry = (id: string, queue: string, since: string, callback = false): EntryRow => ({
  id,
  contact: id,
  queue,
  since,
  callback,
})
const queueNow = (name: string, more: Partial<QueueNow> = {}): QueueNow => ({
  name,
  waiting: 0,
  longest_wait_ms: null,
  callbacks: 0,
  agents: {},
  today: {},
  threshold_s: 20,
  target: null,
  variant: 'sl_answered',
  longest_wait_alarm_s: null,
  waiting_alarm: null,
  ...more,
})

describe('queues', () => {
  it('are all listed, with those who wait longest first', () => {
    const waiting = [
      entry('e2', 'sales', '2026-03-02T09:00:05Z'),
      entry('e1', 'sales', '2026-03-02T09:00:01Z'),
      entry('e3', 'gone', '2026-03-02T09:00:02Z'),
    ]
    const lines = queueLines(waiting, [queueNow('sales'), queueNow('billing', { today: { sl_answered: 0.75 } })])
    expect(lines.map(({ name, waiting: who }) => [name, who.map(({ id }) => id)])).toEqual([
      ['billing', []],
      ['gone', ['e3']],
      ['sales', ['e1', 'e2']],
    ])
    expect(lines[0]?.queue?.today['sl_answered']).toBe(0.75)
  })

  it('have the service level of all their contacts together, by every variant as the server counts it', () => {
    const golden = { queued: 100, offered: 100, answered: 90, answered_in_time: 70, abandoned: 10, abandoned_in_time: 10 }
    const levels = VARIANTS.map((variant) => Math.round((wholeDay([golden], variant).level ?? 0) * 1000) / 10)
    expect(levels).toEqual([77.8, 80, 77.8, 70, 80, 80])
    const days = [{ answered: 100, answered_in_time: 100 }, { answered: 1, answered_in_time: 0 }]
    expect(wholeDay(days, 'sl_answered').level).toBeCloseTo(100 / 101)
    expect(wholeDay([{}], 'sl_queue').level).toBeNull()
  })

  it('raise an alarm for each limit that is passed', () => {
    const at = (seconds: number): number => Date.parse('2026-03-02T09:00:00Z') + seconds * 1000
    const waiting = [entry('e1', 'sales', '2026-03-02T09:00:00Z'), entry('e2', 'sales', '2026-03-02T09:00:05Z')]
    const limits = { longest_wait_alarm_s: 30, waiting_alarm: 2, target: 0.8, today: { sl_answered: 0.79 } }
    const [line] = queueLines(waiting, [queueNow('sales', limits)])
    expect(line && alarmsOf(line, at(29))).toEqual(['waiting', 'service_level'])
    expect(line && alarmsOf(line, at(30))).toEqual(['longest_wait', 'waiting', 'service_level'])
    const [calm] = queueLines(waiting, [queueNow('sales')])
    expect(calm && alarmsOf(calm, at(9000))).toEqual([])
  })

  it('count who is to be called back by themselves: nobody waits, and no limit is passed', () => {
    const friday = entry('e1', 'sales', '2026-02-27T17:00:00Z', true)
    const caller = entry('e2', 'sales', '2026-03-02T09:00:00Z')
    const limits = [queueNow('sales', { longest_wait_alarm_s: 30, waiting_alarm: 2 })]
    const now = Date.parse('2026-03-02T09:00:29Z')
    const [line] = queueLines([friday, caller], limits)
    expect([line?.waiting, line?.callbacks]).toEqual([[caller], 1])
    expect(line && alarmsOf(line, now)).toEqual([])
    const [alone] = queueLines([friday], [])
    expect([alone?.name, alone?.waiting, alone?.callbacks]).toEqual(['sales', [], 1])
  })
})

describe('agents', () => {
  it('are all listed by name, also those of whom nothing was heard', () => {
    const row = { id: 'zoe', state: 'available', reason: null, contact: null, since: null, until: null, next: null }
    const lines = agentLines([{ id: 'bob', name: 'Bob' }], [{ ...row, phone: true, console: true, held: false }])
    expect(lines.map(({ name, row: one }) => [name, one?.state ?? null])).toEqual([
      ['Bob', null],
      ['zoe', 'available'],
    ])
  })
})

/** PCM of 16 bits, `frames` of one sample for each channel. */
function wav(frames: readonly (readonly number[])[], declared?: number): Uint8Array {
  const channels = frames[0]?.length ?? 1
  const bytes = frames.length * channels * 2
  const view = new DataView(new ArrayBuffer(44 + bytes))
  const write = (at: number, text: string): void => [...text].forEach((one, i) => view.setUint8(at + i, one.charCodeAt(0)))
  write(0, 'RIFF')
  view.setUint32(4, 36 + bytes, true)
  write(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, 8000, true)
  view.setUint16(34, 16, true)
  write(36, 'data')
  view.setUint32(40, declared ?? bytes, true)
  frames.flat().forEach((sample, i) => view.setInt16(44 + 2 * i, sample, true))
  return new Uint8Array(view.buffer)
}

describe('the outline of a recording', () => {
  const frames = Array.from({ length: 8000 }, (_, i) => (i < 4000 ? [16384, 0] : [0, -32768]))

  it.each([1, 7, 44, 1000, 100_000])('is the same in pieces of %d bytes', (piece) => {
    const file = wav(frames)
    const reader = new OutlineReader(4, file.length)
    for (let at = 0; at < file.length; at += piece) reader.take(file.subarray(at, at + piece))
    const { seconds, peaks } = reader.outline
    expect(seconds).toBe(1)
    expect(peaks.map((one) => [...one])).toEqual([
      [0.5, 0.5, 0, 0],
      [0, 0, 1, 1],
    ])
  })

  it('of a file whose header was never finished goes to the end of the file', () => {
    const file = wav(frames, 0)
    const reader = new OutlineReader(4, file.length)
    reader.take(file)
    expect(reader.outline.seconds).toBe(1)
  })

  it('is refused for what is no WAV file', () => {
    expect(() => formatOf(new TextEncoder().encode('<!doctype html>'))).toThrow('not a WAV file')
  })
})
