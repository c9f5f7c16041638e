/** The versions of queues and agents, for their administrator. */

import { call } from './api'

export interface Texts {
  readonly queues: string
  readonly agents: string
}

export interface PolicyVersion {
  readonly version: number
  readonly policy: string
  readonly based_on: number | null
  readonly author: string
  readonly at: string
  readonly note: string
  readonly activated_at: string | null
  readonly activated_by: string | null
  readonly active: boolean
}

export interface WholePolicy extends PolicyVersion, Texts {
  readonly diff: string
}

/** `line` counts from 1; `key` is empty where the text as a whole is wrong. */
export interface PolicyError {
  readonly file: string
  readonly key: string
  readonly message: string
  readonly line: number | null
}

export interface PolicyCheck {
  readonly errors: readonly PolicyError[]
  readonly diff: string
}

const PATH = '/api/admin/policy'

export const fetchPolicy = (): Promise<WholePolicy> => call('GET', PATH)

export const fetchVersion = (version: number): Promise<WholePolicy> => call('GET', `${PATH}/versions/${version}`)

export async function fetchVersions(): Promise<readonly PolicyVersion[]> {
  return (await call<{ versions: PolicyVersion[] }>('GET', `${PATH}/versions`)).versions
}

export const checkPolicy = (texts: Texts): Promise<PolicyCheck> => call('POST', `${PATH}/check`, texts)

export const savePolicy = (texts: Texts, basedOn: number, note: string, activate: boolean): Promise<WholePolicy> =>
  call('PUT', PATH, { ...texts, based_on: basedOn, note, activate })

export const activateVersion = (version: number, active: number): Promise<WholePolicy> =>
  call('POST', `${PATH}/versions/${version}/activate`, { active })
