import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import TicketFields from '../apps/console/tickets/TicketFields.svelte'
import { LiveView } from '../domain/live'
import { nextDue, used, valueText } from '../domain/tickets'
import { en } from '../i18n/en'
import { setLocale } from '../i18n/index.svelte'
import type { Clock, Ticket, TicketOptions } from '../net/tickets'
import { FakeServer, ok } from './server'

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

describe('the fields of a ticket', () => {
  const SEEN = { id: 't1', number: 1, version: 1, subject: 'Refund', status: 'open', priority: 'normal', category: null,
    tags: [], queue: null, assignee: null } as unknown as Ticket
  const NEXT = { open: ['pending', 'resolved'], pending: ['open'], resolved: ['open'] } as unknown as TicketOptions['next']
  let server: FakeServer
  let page: ReturnType<typeof mount>
  let shown: Ticket = $state.raw(SEEN)

  beforeEach(() => {
    setLocale('en')
    server = new FakeServer()
    shown = SEEN
    page = mount(TicketFields, {
      target: document.body,
      props: {
        get ticket() { return shown },
        choices: { agents: [], queues: [], categories: [], next: NEXT },
        mayWrite: true,
        own: null,
        onChanged: async () => void (shown = { ...shown, version: 2, queue: 'sales' }),
      },
    })
    flushSync()
  })
  afterEach(async () => {
    await unmount(page)
    vi.unstubAllGlobals()
  })

  const select = (place: number): HTMLSelectElement => document.querySelectorAll('select')[place]!
  const choose = (place: number, value: string): void => {
    select(place).value = value
    select(place).dispatchEvent(new Event('change', { bubbles: true }))
    flushSync()
  }
  const save = async (): Promise<void> => {
    document.querySelector('form')!.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
    await vi.waitFor(() => {
      flushSync()
      if (!shown.queue) throw new Error('not yet')
    })
    await Promise.resolve()
    flushSync()
  }
  const values = (): string[] => [...document.querySelectorAll('select')].map((one) => one.value)

  it('keep what was chosen when somebody else was faster, to be saved once more', async () => {
    server.answers['PATCH /api/tickets/t1'] = { status: 409, body: { code: 'ticket_changed', data: { version: 2 } } }
    choose(1, 'urgent')
    await save()
    expect(document.body.textContent).toContain(en['error.ticket_changed'])
    expect(values()).toEqual(['open', 'urgent', '', '', 'sales'])
    server.answers['PATCH /api/tickets/t1'] = ok({})
    await save()
    expect(server.wishes('/api/tickets/t1')).toEqual([
      { version: 1, priority: 'urgent' },
      { version: 2, priority: 'urgent' },
    ])
  })

  it('let go of a status that cannot follow what it is now', () => {
    choose(0, 'resolved')
    shown = { ...SEEN, version: 2, status: 'pending' }
    flushSync()
    expect(values()[0]).toBe('pending')
  })
})
