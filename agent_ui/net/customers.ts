/** Customers as the API gives them. */

import { call } from './api'
import type { CallSummary } from './calls'
import type { Ticket } from './tickets'

export interface CustomerRecord {
  readonly id: string
  readonly name: string
  readonly company: string
  readonly email: string
  readonly language: string
  readonly notes: string
  readonly external_id: string | null
  readonly numbers: readonly { readonly e164: string; readonly raw: string }[]
  readonly version: number
}

export interface TimelineItem {
  readonly kind: string
  readonly id: string
  readonly at: string
  readonly call?: CallSummary
  readonly ticket?: Ticket
}

export interface Timeline {
  readonly items: readonly TimelineItem[]
  readonly next: string | null
}

const at = (id: string): string => `/api/customers/${encodeURIComponent(id)}`

export const showCustomer = (id: string): Promise<CustomerRecord> => call('GET', at(id))

export const timelineOf = (id: string, after: string | null = null): Promise<Timeline> =>
  call('GET', `${at(id)}/timeline?limit=10${after === null ? '' : `&after=${encodeURIComponent(after)}`}`)

export async function searchCustomers(words: string): Promise<readonly CustomerRecord[]> {
  const found = await call<{ customers: CustomerRecord[] }>(
    'GET',
    `/api/customers?limit=6&q=${encodeURIComponent(words)}`,
  )
  return found.customers
}

export const createCustomer = (name: string, company: string, numbers: readonly string[]): Promise<CustomerRecord> =>
  call('POST', '/api/customers', { name, company, numbers })
