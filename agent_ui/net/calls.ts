/** Call detail records as the API gives them. */

import { call, type Page } from './api'

export interface CallSummary {
  readonly contact: string
  readonly direction: string
  readonly source: string
  readonly flow: string | null
  readonly flow_version: string | null
  readonly started_at: string | null
  readonly answered_at: string | null
  readonly ended_at: string | null
  readonly queue: string | null
  readonly agent: string | null
  readonly customer: string | null
  readonly wait_ms: number | null
  readonly talk_ms: number
  readonly hung_up_by: string | null
  readonly reason: string | null
  readonly sip_status: number | null
  readonly result: string
  readonly caller: string | null
  readonly caller_name: string | null
  readonly called: string | null
}

export interface Recording {
  readonly file: string
  readonly ms: number | null
  readonly truncated: boolean
}

export interface CallDocument extends CallSummary {
  readonly disposition?: string | null
  readonly tickets?: readonly { readonly id: string; readonly number: number }[]
  readonly instants: readonly { readonly name: string; readonly at: string }[]
  readonly legs: readonly {
    readonly leg: string
    readonly role: string
    readonly endpoint: string
    readonly invited_at: string | null
    readonly answered_at: string | null
    readonly ended_at: string | null
    readonly by: string | null
    readonly reason: string | null
    readonly status: number | null
    readonly received: number | null
    readonly sent: number | null
    readonly lost: number | null
    readonly jitter_us: number | null
    readonly largest_gap_ms: number | null
  }[]
  readonly path: readonly {
    readonly node: string
    readonly kind: string
    readonly at: string
    readonly branch: string | null
    readonly digits: number | string | null
  }[]
  readonly queues: readonly {
    readonly entry: string
    readonly queue: string
    readonly queued_at: string | null
    readonly outcome: string | null
    readonly agent: string | null
    readonly wait_ms: number | null
  }[]
  readonly offers: readonly {
    readonly offer: string
    readonly agent: string
    readonly at: string | null
    readonly outcome: string | null
    readonly reason: string | null
  }[]
  readonly recordings: readonly Recording[]
  readonly collected: Readonly<Record<string, string | null>>
}

/** Empty fields do not filter; `day` (2026-03-02) is one of the site's zone. */
export interface CallFilter {
  readonly day?: string
  readonly queue?: string
  readonly agent?: string
  readonly result?: string
  readonly caller?: string
}

export const RESULTS = ['answered', 'abandoned', 'unanswered', 'refused', 'failed'] as const

export async function listCalls(filter: CallFilter, after: string | null): Promise<Page<CallSummary>> {
  const query = new URLSearchParams({ limit: '25' })
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, String(value))
  if (after !== null) query.set('after', after)
  const path = `/api/calls?${query.toString()}`
  const { calls, next } = await call<{ calls: readonly CallSummary[]; next: string | null }>('GET', path)
  return { rows: calls, next }
}

export const showCall = (contact: string): Promise<CallDocument> =>
  call('GET', `/api/calls/${encodeURIComponent(contact)}`)

/** Where the recording of `part` (from 1) is played and downloaded from. */
export const recordingAddress = (contact: string, part: number): string =>
  `/api/calls/${encodeURIComponent(contact)}/recording?part=${part}`
