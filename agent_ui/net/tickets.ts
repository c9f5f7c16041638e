/** Tickets as the API gives them. */

import { call } from './api'

export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'urgent']

export interface Ticket {
  readonly id: string
  readonly number: number
  readonly subject: string
  readonly status: string
  readonly priority: string
  readonly assignee: string | null
  readonly overdue: boolean
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
}

export const openTicket = (ticket: NewTicket): Promise<Ticket> => call('POST', '/api/tickets', ticket)
