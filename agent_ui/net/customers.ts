/** Customers as the API gives them. */

import type { Changes } from '../domain/customers'
import { call, type Page } from './api'
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
  /** The id of the agent who looks after the customer, or empty. */
  readonly owner: string
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

const at = (id: string): string => `/api/customers/${encodeURIComponent(id)}`

export const showCustomer = (id: string): Promise<CustomerRecord> => call('GET', at(id))

export async function timelineOf(id: string, after: string | null): Promise<Page<TimelineItem>> {
  const path = `${at(id)}/timeline?limit=10${after === null ? '' : `&after=${encodeURIComponent(after)}`}`
  const { items, next } = await call<{ items: readonly TimelineItem[]; next: string | null }>('GET', path)
  return { rows: items, next }
}

/** Raises ApiError `conflict` without a field when the customer has another version by now. */
export const changeCustomer = (id: string, version: number, changes: Changes): Promise<CustomerRecord> =>
  call('PATCH', at(id), { version, ...changes })

/** Those whose words begin so; without words the newest. */
export async function findCustomers(words: string, after: string | null, limit = 25): Promise<Page<CustomerRecord>> {
  const query = new URLSearchParams({ limit: String(limit), q: words })
  if (after !== null) query.set('after', after)
  const path = `/api/customers?${query.toString()}`
  const { customers, next } = await call<{ customers: readonly CustomerRecord[]; next: string | null }>('GET', path)
  return { rows: customers, next }
}

export const searchCustomers = async (words: string): Promise<readonly CustomerRecord[]> =>
  (await findCustomers(words, null, 6)).rows

export interface BadRow {
  readonly line: number
  readonly code: string
  /** In English. */
  readonly reason: string
  readonly data: Readonly<Record<string, string | number>>
  readonly fields: readonly string[]
}

export interface ImportReport {
  readonly preview: boolean
  readonly rows: number
  readonly created: number
  readonly updated: number
  readonly not_taken: number
  readonly duplicates: number
  readonly bad: readonly BadRow[]
  readonly first: readonly (Omit<CustomerRecord, 'id' | 'version'> & {
    readonly line: number
    readonly customer: string | null
  })[]
}

/** Bring in a CSV file, or with `preview` only say what that would do. */
export const importCustomers = (file: File, preview: boolean): Promise<ImportReport> =>
  call('POST', `/api/customers/import?preview=${String(preview)}`, new Blob([file], { type: 'text/csv' }))

export const createCustomer = (name: string, company: string, numbers: readonly string[]): Promise<CustomerRecord> =>
  call('POST', '/api/customers', { name, company, numbers })
