/** The frames of the console websocket, as docs/console.md and callcenter/console/protocol.py have them. */

export type Positions = Readonly<Record<string, number>>

export interface Envelope {
  readonly stream: string
  readonly seq: number
  readonly id: string
  readonly v: number
  readonly type: string
  readonly at: string
  readonly subject: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface AgentRow {
  readonly id: string
  readonly state: string
  readonly reason: string | null
  readonly contact: string | null
  readonly since: string | null
  readonly until: string | null
  readonly next: string | null
  readonly phone: boolean
  readonly console: boolean
  readonly held: boolean
}

export interface ContactRow {
  readonly id: string
  readonly stage: string
  readonly since: string
  readonly queue: string | null
  readonly agent: string | null
}

export interface EntryRow {
  readonly id: string
  readonly contact: string
  readonly queue: string
  readonly since: string
  /** Is to be called: nobody holds the line. */
  readonly callback: boolean
}

export interface OfferRow {
  readonly id: string
  readonly contact: string
  readonly entry: string
  readonly queue: string
  readonly agent: string
  readonly ring_until: string | null
  readonly delivery: string
}

export interface Customer {
  readonly id: string
  readonly name: string
  readonly company: string
  readonly language: string
  readonly tags: readonly string[]
}

/** A customer who it may be; `confidence` is 0..100. */
export interface Candidate {
  readonly id: string
  readonly name: string
  readonly company: string
  readonly confidence: number
  readonly reason: string
}

export interface Pop {
  readonly offer: string
  readonly contact: string
  readonly queue: string
  readonly agent: string
  readonly caller: string
  readonly customer: Customer | null
  readonly matches: number
  readonly ring_until: string
  /** Where `customer` is null and it may be one of several, the likeliest first. */
  readonly candidates?: readonly Candidate[]
}

export interface Rows {
  readonly agents: readonly AgentRow[]
  readonly contacts: readonly ContactRow[]
  readonly entries: readonly EntryRow[]
  readonly offers: readonly OfferRow[]
  readonly pops: readonly Pop[]
}

export interface Welcome {
  readonly type: 'welcome'
  readonly user: string
  readonly name: string
  readonly agent: string | null
  readonly permissions: readonly string[]
  readonly heartbeat_s: number
}

export interface Snapshot extends Rows {
  readonly type: 'snapshot'
  readonly positions: Positions
}

export type LiveFrame =
  | Snapshot
  | { readonly type: 'event'; readonly event: Envelope }
  | (Pop & { readonly type: 'pop' })
  | {
      readonly type: 'pop_updated'
      readonly offer: string
      readonly customer: Customer | null
      readonly matches: number
      readonly candidates?: readonly Candidate[]
    }
  | { readonly type: 'heartbeat'; readonly at: string; readonly positions: Positions }

export type ServerFrame = Welcome | LiveFrame

const KNOWN = new Set(['welcome', 'snapshot', 'event', 'pop', 'pop_updated', 'heartbeat'])

/** The frame in `text`, null for what this page does not know (a newer server's). */
export function parseFrame(text: string): ServerFrame | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return null
  return typeof value.type === 'string' && KNOWN.has(value.type) ? (value as ServerFrame) : null
}
