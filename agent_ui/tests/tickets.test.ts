import { describe, expect, it } from 'vitest'
import { LiveView } from '../domain/live'
import { nextDue, used, valueText } from '../domain/tickets'
import type { Clock, Ticket } from '../net/tickets'

const ticket = (first: string | null, resolution: string | null): Ticket =>
  ({ first_response_due_at: first, resolution_due_at: resolution }) as Ticket

describe('a ticket in a list', () => {
  it('is due when the first of its clocks is', () => {
    expect(nextDue(ticket('2026-03-02T10:00:00Z', '2026-03-02T09:00:00Z'))).toBe('2026-03-02T09:00:00Z')
    expect(nextDue(ticket(null, '2026-03-02T09:00:00Z'))).toBe('2026-03-02T09:00:00Z')
    expect(nextDue(ticket(null, null))).toBeNull()
  })

  it('never shows more than the whole of a clock', () => {
    expect(used({ elapsed_s: 30, target_s: 60 } as Clock)).toBe(0.5)
    expect(used({ elapsed_s: 90, target_s: 60 } as Clock)).toBe(1)
  })
})

describe('a line of history', () => {
  it('is one line of text, whatever was changed', () => {
    expect(valueText(null)).toBe('–')
    expect(valueText([])).toBe('–')
    expect(valueText(['vip', 'late'])).toBe('vip, late')
    expect(valueText({ clock: 'resolution', cycle: 1, step: 'overdue' })).toBe('resolution, overdue')
    expect(valueText({ policy: 'standard', policy_version: 'ab12' })).toBe('standard')
  })
})

describe('an event of the site', () => {
  it('does not move the live view', () => {
    const view = new LiveView()
    const event = { stream: 'site', seq: 900, id: 'e', v: 1, type: 'tickets.escalation.fired', at: '', subject: 't', data: {} }
    view.take({ type: 'event', event: { ...event, stream: 'live', seq: 7, type: 'calls.leg.ringing' } })
    view.take({ type: 'event', event })
    expect(view.position).toBe(7)
  })
})
