/** Who waits, and what a supervisor may do with him (docs/queues.md). */

import { call } from './api'

export interface Waiter {
  readonly id: string
  readonly contact: string
  readonly queue: string
  /** waiting, or offered: an agent's phone rings for him. */
  readonly state: string
  readonly priority: number
  readonly since: string
  readonly position: number | null
  readonly expected_wait_ms: number | null
  /** Nobody is on the line: he will be called. */
  readonly callback: boolean
}

export const fetchWaiters = async (): Promise<readonly Waiter[]> =>
  (await call<{ entries: readonly Waiter[] }>('GET', '/api/entries')).entries

const path = (entry: string, what: string): string => `/api/entries/${encodeURIComponent(entry)}/${what}`

export const moveWaiter = (entry: string, queue: string): Promise<void> =>
  call('POST', path(entry, 'move'), { queue })

export const prioritiseWaiter = (entry: string, priority: number): Promise<void> =>
  call('POST', path(entry, 'priority'), { priority })

export const cancelWaiter = (entry: string): Promise<void> => call('POST', path(entry, 'cancel'))
