/** What an agent asks of the server at the desk. */

import { call, type AgentWish } from './api'

/**
 * Dispositions with their names by language, phones with their names; queues and numbers to transfer to; the queues
 * after whose callers there is a wrap-up only for who asks for it in the call.
 */
export interface Options {
  readonly dispositions: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly phones: Readonly<Record<string, string>>
  readonly queues: readonly string[]
  readonly numbers: readonly string[]
  readonly wrap_up_when_asked: readonly string[]
}

export type TransferKind = 'phone' | 'queue' | 'number'

export interface AfterCall {
  readonly finish?: boolean
  /** In the call: to have a wrap-up at all. */
  readonly ask?: boolean
  readonly extend_s?: number
  readonly disposition?: string
}

export const fetchOptions = (): Promise<Options> => call('GET', '/api/desk/options')

export const setOwnState = (state: AgentWish, reason: string | null): Promise<unknown> =>
  call('POST', '/api/agents/me/state', { state, reason })

export const answerOffer = (offer: string, accept: boolean): Promise<void> =>
  call('POST', '/api/agents/me/offer', { offer, accept })

export const controlCall = (action: 'hang_up' | 'hold' | 'resume'): Promise<void> =>
  call('POST', '/api/agents/me/call', { action })

export const transferCall = (kind: TransferKind, target: string): Promise<void> =>
  call('POST', '/api/agents/me/call', { action: 'transfer', kind, target })

export const afterCall = (wish: AfterCall): Promise<unknown> => call('POST', '/api/agents/me/wrap-up', wish)

/** Settle which of several customers it is. */
export const chooseCustomer = (contact: string, customer: string): Promise<unknown> =>
  call('POST', `/api/contacts/${encodeURIComponent(contact)}/customer`, { customer })
