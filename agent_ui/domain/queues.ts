/** Queues as the supervisor sees them: who waits, by the live view, and how the day went, by the records. */

import type { AgentRow, EntryRow } from '../net/frames'
import type { QueueDay } from '../net/live'

export interface QueueLine {
  readonly name: string
  /** Those who wait, longest first. */
  readonly waiting: readonly EntryRow[]
  readonly today: QueueDay | null
}

/** One line for each of `names` and for any other queue that somebody waits in. */
export function queueLines(
  names: readonly string[],
  entries: readonly EntryRow[],
  today: readonly QueueDay[],
): readonly QueueLine[] {
  const all = [...new Set([...names, ...entries.map((entry) => entry.queue)])].sort()
  return all.map((name) => ({
    name,
    waiting: entries
      .filter((entry) => entry.queue === name)
      .sort((one, other) => Date.parse(one.since) - Date.parse(other.since)),
    today: today.find((day) => day.queue === name) ?? null,
  }))
}

/** All queues together; the service level is of all answered calls, not a mean of levels. */
export function wholeDay(days: readonly QueueDay[]): { offered: number; abandoned: number; level: number | null } {
  const sum = (of: (day: QueueDay) => number): number => days.reduce((total, day) => total + of(day), 0)
  const answered = sum((day) => day.answered)
  const level = answered === 0 ? null : sum((day) => day.in_time) / answered
  return { offered: sum((day) => day.offered), abandoned: sum((day) => day.abandoned), level }
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
