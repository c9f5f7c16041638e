/** What a supervisor asks of the server. */

import { call, type AgentWish } from './api'

export interface Agent {
  readonly id: string
  readonly name: string
  readonly skills: Readonly<Record<string, number>>
}

export async function fetchAgents(): Promise<readonly Agent[]> {
  return (await call<{ agents: Agent[] }>('GET', '/api/agents')).agents
}

export async function fetchQueueNames(): Promise<readonly string[]> {
  return (await call<{ queues: { id: string }[] }>('GET', '/api/queues')).queues.map((queue) => queue.id)
}

export const setStateOf = (agent: string, state: AgentWish, reason: string | null): Promise<unknown> =>
  call('POST', `/api/agents/${encodeURIComponent(agent)}/state`, { state, reason })
