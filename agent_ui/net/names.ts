/** What the site calls its users, agents and dispositions, and the zone of its days. */

import { call } from './api'

export interface Names {
  readonly zone: string | undefined
  readonly users: Readonly<Record<string, string>>
  readonly agents: Readonly<Record<string, string>>
  readonly dispositions: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export const fetchNames = (): Promise<Names> => call('GET', '/api/names')
