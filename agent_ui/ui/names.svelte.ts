/** Names of what answers name by id or code, once they are learned; until then ids and codes stand for themselves. */

import { calledHere } from '../i18n/index.svelte'
import { fetchNames, type Names } from '../net/names'

let names = $state.raw<Names>({ zone: undefined, users: {}, agents: {}, dispositions: {} })

export async function learnNames(): Promise<void> {
  try {
    names = await fetchNames()
  } catch {
    // The pages work without; the next connection asks again.
  }
}

/** The site's zone, in which all times are shown; the browser's until it is known. */
export const zone = (): string | undefined => names.zone

export const userName = (id: string): string => names.users[id] ?? id

export const agentName = (id: string): string => names.agents[id] ?? id

/** All agents, id and name, by name. */
export const agentsByName = (): readonly (readonly [string, string])[] =>
  Object.entries(names.agents).sort(([, one], [, other]) => one.localeCompare(other))

export const dispositionName = (code: string): string => calledHere(names.dispositions[code], code)
