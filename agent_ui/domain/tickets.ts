/** What lists and details say of tickets, beyond what the server has computed. */

import type { Clock, Ticket } from '../net/tickets'

/** The due time that comes first, null where no clock runs. */
export function nextDue(ticket: Ticket): string | null {
  const dues = [ticket.first_response_due_at, ticket.resolution_due_at].filter((due) => due !== null)
  return dues.sort()[0] ?? null
}

/** How much of a clock's business time is used, 0..1. */
export const used = (clock: Clock): number => Math.min(1, clock.elapsed_s / clock.target_s)

/** `value` of a history line in one line of text; objects are named by what tells them apart. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  if (Array.isArray(value)) return value.map(valueText).join(', ') || '–'
  if (typeof value !== 'object') return String(value)
  const { kind, clock, step, policy } = value as Record<string, unknown>
  return [kind, clock, step, policy].filter((part) => typeof part === 'string').join(', ') || '–'
}
