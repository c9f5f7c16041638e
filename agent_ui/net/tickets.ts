/** Tickets as the API gives them. */

import { call, type Page } from './api'

export const STATUSES = ['new', 'open', 'pending', 'on_hold', 'resolved', 'closed'] as const
export type Status = (typeof STATUSES)[number]

export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'urgent']

export interface Ticket {
  readonly id: string
  readonly number: number
  readonly version: number
  readonly subject: string
  readonly status: Status
  readonly priority: Priority
  readonly category: string | null
  readonly tags: readonly string[]
  readonly queue: string | null
  readonly assignee: string | null
  readonly customer: string | null
  readonly created_at: string
  readonly updated_at: string
  readonly first_response_due_at: string | null
  readonly resolution_due_at: string | null
  readonly overdue: boolean
}

export interface Message {
  readonly id: string
  readonly at: string
  readonly kind: 'public_reply' | 'internal_note' | 'call' | 'system'
  readonly author: string
  readonly author_id: string | null
  readonly contact: string | null
  readonly connected: boolean
  readonly text: string
}

export interface Change {
  readonly at: string
  readonly actor: string
  readonly attribute: string
  readonly before: unknown
  readonly after: unknown
}

/** Seconds are of business time. */
export interface Interval {
  readonly start: string
  readonly end: string
  readonly category: 'counted' | 'paused' | 'gap'
  readonly business_s: number
  readonly status: Status
  readonly policy: string
  readonly calendar: string
}

export interface Clock {
  readonly clock: 'first_response' | 'resolution'
  readonly cycle: number
  readonly state: 'running' | 'paused' | 'met' | 'breached'
  readonly target_s: number
  readonly elapsed_s: number
  readonly paused_s: number
  readonly overdue_s: number
  readonly started_at: string
  readonly due_at: string | null
  readonly closed_at: string | null
  readonly intervals: readonly Interval[]
}

export interface TicketDetail {
  readonly ticket: Ticket
  readonly messages: readonly Message[]
  readonly history: readonly Change[]
  readonly contacts: readonly string[]
  readonly clocks: readonly Clock[]
}

/** Empty fields do not filter. */
export interface TicketFilter {
  readonly status: readonly Status[]
  readonly assignee: string
  readonly queue: string
  readonly priority: string
  readonly category: string
  readonly overdue: boolean
  readonly sort: 'due' | 'newest'
}

export interface TicketOptions {
  readonly categories: readonly string[]
  readonly next: Readonly<Record<Status, readonly Status[]>>
}

/** What is to be different; `version` is the one that was seen. */
export interface TicketWish {
  readonly version: number
  readonly status?: Status
  readonly priority?: Priority
  readonly category?: string | null
  readonly assignee?: string | null
  readonly queue?: string | null
  readonly subject?: string
}

export interface NewTicket {
  readonly subject: string
  readonly command_id: string
  readonly text: string
  readonly customer: string | null
  readonly contact: string | null
  readonly queue: string | null
  readonly assignee: string | null
  readonly priority: Priority
  readonly category: string | null
}

export const openTicket = (ticket: NewTicket): Promise<Ticket> => call('POST', '/api/tickets', ticket)

const at = (id: string): string => `/api/tickets/${encodeURIComponent(id)}`

export async function listTickets(filter: TicketFilter, after: number | null): Promise<Page<Ticket, number>> {
  const { status, overdue, ...words } = filter
  const query = new URLSearchParams({ limit: '50' })
  for (const [name, value] of Object.entries(words)) if (value) query.set(name, value)
  for (const one of status) query.append('status', one)
  if (overdue) query.set('overdue', 'true')
  if (after !== null) query.set('after', String(after))
  const path = `/api/tickets?${query.toString()}`
  const { tickets, next } = await call<{ tickets: readonly Ticket[]; next: number | null }>('GET', path)
  return { rows: tickets, next }
}

export const showTicket = (id: string): Promise<TicketDetail> => call('GET', at(id))

export const changeTicket = (id: string, wish: TicketWish): Promise<Ticket> => call('PATCH', at(id), wish)

export const writeMessage = (id: string, kind: 'public_reply' | 'internal_note', text: string): Promise<Message> =>
  call('POST', `${at(id)}/messages`, { kind, text })

export const fetchTicketOptions = (): Promise<TicketOptions> => call('GET', '/api/tickets/options')
