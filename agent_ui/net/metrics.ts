/** How the queues do, as the server tells it (docs/metrics.md). */

import { call } from './api'

export const VARIANTS = [
  'sl_answered',
  'sl_sl2',
  'sl_ignore_abandons',
  'sl_abandons_negative',
  'sl_abandons_positive',
  'sl_queue',
] as const
export type Variant = (typeof VARIANTS)[number]

export type FactKind = 'queue' | 'skill' | 'agent'

/** Measures and figures by their names; a figure is null where there was nothing to divide by. */
export type Counted = Readonly<Record<string, number | null>>

export interface LineNow {
  readonly name: string
  readonly waiting: number
  readonly longest_wait_ms: number | null
  readonly callbacks: number
  /** Those who serve it, by state. */
  readonly agents: Readonly<Record<string, number>>
  readonly today: Counted
}

export interface QueueNow extends LineNow {
  readonly threshold_s: number
  readonly target: number | null
  readonly variant: Variant
  readonly longest_wait_alarm_s: number | null
  readonly waiting_alarm: number | null
}

export interface AgentNow {
  readonly name: string
  readonly state: string
  readonly today: Counted
}

export interface LiveValues {
  readonly at: string
  readonly since: string
  readonly queues: readonly QueueNow[]
  readonly skills: readonly LineNow[]
  readonly agents: readonly AgentNow[]
}

/** One quarter hour: `local` is its start on the site's clock; the rest are measures and figures. */
export type Interval = Readonly<Record<string, number | string | null>>

export const fetchLiveValues = (): Promise<LiveValues> => call('GET', '/api/metrics/live')

/** Where the quarter hours of a day are; without a day, today's. */
export function intervalsAddress(kind: FactKind, name: string, day: string, format: 'json' | 'csv'): string {
  const query = new URLSearchParams({ kind, format })
  if (name) query.set('name', name)
  if (day) query.set('day', day)
  return `/api/metrics/intervals?${query.toString()}`
}

export async function fetchIntervals(kind: FactKind, name: string, day: string): Promise<readonly Interval[]> {
  return (await call<{ intervals: Interval[] }>('GET', intervalsAddress(kind, name, day, 'json'))).intervals
}
