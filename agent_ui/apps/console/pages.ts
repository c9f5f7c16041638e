/**
 * The pages of the console: for whom each is, and where its code lies. The address names one and what it is to show,
 * `#calls/0191...`. To add one: a name in `Page`, a line in `PAGES`, its text `nav.<name>`.
 */

import type { Component } from 'svelte'
import type { Who } from '../../net/api'
import type { Desk } from './desk.svelte'

export type Page = 'desk' | 'live' | 'tickets' | 'customers' | 'calls' | 'why' | 'laboratory' | 'policy'

export interface PageProps {
  readonly desk: Desk
  /** The server's time, in ms, each second. */
  readonly now: number
  /** What follows the page's name in the address. */
  readonly rest: string
}

interface PageInfo {
  readonly may: (who: Who) => boolean
  /** Reached from another page only. */
  readonly hidden?: true
  /** Absent for what is loaded with the frame. */
  readonly load?: () => Promise<{ default: Component<PageProps> }>
}

const has = (permission: string) => (who: Who) => who.permissions.includes(permission)

export const PAGES: Readonly<Record<Page, PageInfo>> = {
  desk: { may: (who) => who.agent !== null && has('desk.use')(who) },
  live: { may: has('live.read'), load: () => import('./live/LivePage.svelte') },
  calls: { may: has('calls.read'), load: () => import('./calls/CallsPage.svelte') },
  tickets: { may: has('tickets.read'), load: () => import('./tickets/TicketsPage.svelte') },
  customers: { may: has('customers.read'), load: () => import('./customers/CustomersPage.svelte') },
  why: { may: has('calls.read'), hidden: true, load: () => import('./why/WhyPage.svelte') },
  laboratory: { may: has('live.read'), load: () => import('./laboratory/LaboratoryPage.svelte') },
  policy: { may: has('policy.manage'), load: () => import('./policy/PolicyPage.svelte') },
}

export const pagesOf = (who: Who): readonly Page[] =>
  (Object.keys(PAGES) as Page[]).filter((page) => PAGES[page].may(who))

export interface Place {
  readonly page: Page | null
  readonly rest: string
}

/** Where `hash` leads: the page that it names if it is one of `pages`, else the first. */
export function placeAt(hash: string, pages: readonly Page[]): Place {
  const [name, ...rest] = hash.slice(1).split('/')
  const page = pages.find((one) => one === name)
  return page ? { page, rest: rest.join('/') } : { page: pages[0] ?? null, rest: '' }
}
