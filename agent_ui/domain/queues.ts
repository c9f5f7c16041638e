/** Queues as the supervisor sees them: who waits, by the live view, and how the day went, by the facts. */

import type { AgentRow, EntryRow } from '../net/frames'
import type { Counted, QueueNow, Variant } from '../net/metrics'

export interface QueueLine {
  readonly name: string
  /** Those who wait at a phone, longest first. */
  readonly waiting: readonly EntryRow[]
  /** How many are to be called back: no caller waits, however old they are. */
  readonly callbacks: number
  readonly queue: QueueNow | null
}

export const callers = (entries: readonly EntryRow[]): readonly EntryRow[] => entries.filter((entry) => !entry.callback)

/** One line for each of `queues` and for any other queue that somebody waits in. */
export function queueLines(entries: readonly EntryRow[], queues: readonly QueueNow[]): readonly QueueLine[] {
  const all = [...new Set([...queues.map(({ name }) => name), ...entries.map((entry) => entry.queue)])].sort()
  return all.map((name) => ({
    name,
    waiting: callers(entries)
      .filter((entry) => entry.queue === name)
      .sort((one, other) => Date.parse(one.since) - Date.parse(other.since)),
    callbacks: entries.filter((entry) => entry.queue === name && entry.callback).length,
    queue: queues.find((queue) => queue.name === name) ?? null,
  }))
}

export type Alarm = 'longest_wait' | 'waiting' | 'service_level'

/** Which limits of the queue are passed at `now`: waits and counts to the second, the level as last heard. */
export function alarmsOf({ waiting, queue }: QueueLine, now: number): readonly Alarm[] {
  if (queue === null) return []
  const oldest = waiting[0]
  const waited = oldest ? (now - Date.parse(oldest.since)) / 1000 : 0
  const level = queue.today[queue.variant] ?? null
  const found: [Alarm, boolean][] = [
    ['longest_wait', queue.longest_wait_alarm_s !== null && waited >= queue.longest_wait_alarm_s],
    ['waiting', queue.waiting_alarm !== null && waiting.length >= queue.waiting_alarm],
    ['service_level', queue.target !== null && level !== null && level < queue.target],
  ]
  return found.filter(([, is]) => is).map(([alarm]) => alarm)
}

/** What of the measures is divided by what; those after a minus are taken off. */
const PARTS: Readonly<Record<Variant, readonly [of: readonly string[], by: readonly string[], less?: string]>> = {
  sl_answered: [['answered_in_time'], ['answered']],
  sl_sl2: [['answered_in_time', 'abandoned_in_time'], ['answered', 'abandoned']],
  sl_ignore_abandons: [['answered_in_time'], ['offered'], 'abandoned_in_time'],
  sl_abandons_negative: [['answered_in_time'], ['offered']],
  sl_abandons_positive: [['answered_in_time', 'abandoned_in_time'], ['offered']],
  sl_queue: [['answered_in_time', 'abandoned_in_time', 'callbacks_in_time'], ['queued']],
}

/** All queues together; a level is of all their contacts, not a mean of levels. */
export function wholeDay(days: readonly Counted[], variant: Variant): { offered: number; abandoned: number; level: number | null } {
  const sum = (name: string): number => days.reduce((total, day) => total + (day[name] ?? 0), 0)
  const sums = (names: readonly string[]): number => names.reduce((total, name) => total + sum(name), 0)
  const [of, by, less] = PARTS[variant]
  const whole = sums(by) - (less ? sum(less) : 0)
  return { offered: sum('offered'), abandoned: sum('abandoned'), level: whole > 0 ? sums(of) / whole : null }
}

export interface AgentLine {
  readonly id: string
  readonly name: string
  readonly row: AgentRow | null
}

/** All agents by name, those of whom nothing has been heard yet included. */
export function agentLines(
  known: readonly { readonly id: string; readonly name: string }[],
  rows: readonly AgentRow[],
): readonly AgentLine[] {
  const names = new Map(known.map(({ id, name }) => [id, name]))
  for (const { id } of rows) if (!names.has(id)) names.set(id, id)
  return [...names]
    .map(([id, name]) => ({ id, name, row: rows.find((row) => row.id === id) ?? null }))
    .sort((one, other) => one.name.localeCompare(other.name))
}
