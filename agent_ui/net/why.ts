/** Why a call waited, as the server derives it from its log. */

import { call } from './api'

export type Needs = readonly (readonly { readonly skill: string; readonly level: number }[])[]

/** Where an agent stood when the caller was offered to one of them. */
export interface AgentStanding {
  readonly agent: string
  readonly reason: string
  readonly detail: string | null
  readonly since?: string | null
  readonly until?: string | null
  readonly lacks?: Needs
  readonly excluded_until?: string | null
  readonly order?: Readonly<Record<string, string | number>>
}

/** One thing that happened to the caller; which fields there are depends on `kind`. */
export interface WhyStep {
  readonly at: string
  readonly kind: string
  readonly until?: string | null
  readonly queue?: string
  readonly agent?: string
  readonly reason?: string | null
  readonly counts?: Readonly<Record<string, number>>
  readonly position?: number | null
  readonly ring?: number
  readonly widens_at?: string | null
  readonly preferred?: string | null
  readonly instead_of?: readonly string[]
  readonly priority?: number
  readonly needs?: Needs
  readonly excluded?: readonly { readonly agent: string; readonly until: string }[]
  readonly agents?: readonly AgentStanding[]
  readonly decision?: { readonly input: number; readonly policy: string; readonly strategy?: string }
  readonly wait_ms?: number
  readonly outcome?: string
  readonly wait_s?: number | null
  readonly contact?: string
  readonly by_choice?: boolean
  readonly version?: string
}

export interface WhyDocument {
  readonly contact: string
  readonly steps: readonly WhyStep[]
  readonly replayed: boolean
}

export const fetchWhy = (contact: string): Promise<WhyDocument> =>
  call('GET', `/api/calls/${encodeURIComponent(contact)}/why`)
