/** What the ticket pages offer to choose from. */

import { tOr } from '../../../i18n/index.svelte'
import type { Agent } from '../../../net/live'
import type { Status, TicketFilter, TicketOptions } from '../../../net/tickets'

export interface Choices {
  readonly agents: readonly Agent[]
  readonly queues: readonly string[]
  readonly categories: readonly string[]
  /** Null until it is known. */
  readonly next: TicketOptions['next'] | null
}

/** As the list's form has it: `status` is a status, `UNDONE` or empty for all. */
export type Filter = { -readonly [Name in Exclude<keyof TicketFilter, 'status'>]: TicketFilter[Name] } & { status: string }

/** Every status in which there is something to do. */
export const UNDONE = 'undone'
const WITH_WORK: readonly Status[] = ['new', 'open', 'pending', 'on_hold']

export function statusesOf(choice: string): readonly Status[] {
  return choice === UNDONE ? WITH_WORK : choice === '' ? [] : [choice as Status]
}

export const categoryName = (code: string | null): string => (code === null ? '–' : tOr(`category.${code}`, code))
