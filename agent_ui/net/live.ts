/** What a supervisor asks of the server. */

import { call, type AgentWish } from './api'

export interface Agent {
  readonly id: string
  readonly name: string
  readonly skills: Readonly<Record<string, number>>
}

export interface QueueDay {
  readonly queue: string
  readonly offered: number
  readonly answered: number
  readonly in_time: number
  readonly abandoned: number
  readonly wait_ms: number | null
  readonly service_level: number | null
}

export interface Today {
  readonly since: string
  readonly variant: string
  readonly threshold_s: number
  readonly queues: readonly QueueDay[]
}

export async function fetchAgents(): Promise<readonly Agent[]> {
  return (await call<{ agents: Agent[] }>('GET', '/api/agents')).agents
}

export async function fetchQueueNames(): Promise<readonly string[]> {
  return (await call<{ queues: { id: string }[] }>('GET', '/api/queues')).queues.map((queue) => queue.id)
}

export const fetchToday = (): Promise<Today> => call('GET', '/api/queues/today')

export const setStateOf = (agent: string, state: AgentWish, reason: string | null): Promise<unknown> =>
  call('POST', `/api/agents/${encodeURIComponent(agent)}/state`, { state, reason })
