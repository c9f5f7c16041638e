/**
 * The live view: the same fold as callcenter/console/live.py, held to the same log (tests/golden/live.json).
 * Changed in place; `rows` copies it for the screen.
 */

import type { AgentRow, ContactRow, EntryRow, Envelope, LiveFrame, OfferRow, Pop, Rows, Snapshot } from '../net/frames'

const BUSY_STATES = new Set(['reserved', 'on_contact', 'wrap_up'])

const text = (value: unknown): string => String(value)
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const byId = <T extends { id: string }>(rows: readonly T[]): Map<string, T> => new Map(rows.map((row) => [row.id, row]))

const SIGNED_OUT: Omit<AgentRow, 'id'> = {
  state: 'logged_out',
  reason: null,
  contact: null,
  since: null,
  until: null,
  next: null,
  phone: false,
  console: false,
  held: false,
}

export class LiveView {
  position = 0
  agents = new Map<string, AgentRow>()
  contacts = new Map<string, ContactRow>()
  entries = new Map<string, EntryRow>()
  offers = new Map<string, OfferRow>()
  pops = new Map<string, Pop>()

  /** Take one frame of the server. */
  take(frame: LiveFrame): void {
    switch (frame.type) {
      case 'snapshot':
        this.#replace(frame)
        break
      case 'event':
        this.#apply(frame.event)
        break
      case 'pop': {
        const { type: _, ...pop } = frame
        this.pops.set(pop.offer, pop)
        break
      }
      case 'pop_updated': {
        const pop = this.pops.get(frame.offer)
        if (pop) {
          const { candidates: _, ...rest } = pop
          const told = frame.candidates === undefined ? {} : { candidates: frame.candidates }
          this.pops.set(pop.offer, { ...rest, customer: frame.customer, matches: frame.matches, ...told })
        }
        break
      }
      case 'heartbeat':
        this.position = frame.positions['live'] ?? this.position
        break
    }
  }

  rows(): Rows {
    return {
      agents: [...this.agents.values()],
      contacts: [...this.contacts.values()],
      entries: [...this.entries.values()],
      offers: [...this.offers.values()],
      pops: [...this.pops.values()],
    }
  }

  #replace(snapshot: Snapshot): void {
    this.position = snapshot.positions['live'] ?? 0
    this.agents = byId(snapshot.agents)
    this.contacts = byId(snapshot.contacts)
    this.entries = byId(snapshot.entries)
    this.offers = byId(snapshot.offers)
    this.pops = new Map(snapshot.pops.map(({ ...pop }) => [pop.offer, withoutType(pop)]))
  }

  #apply(event: Envelope): void {
    if (event.stream !== 'live') return
    this.position = event.seq
    FOLDS[event.type]?.(this, event)
  }
}

/** Pops inside a snapshot carry their tag; rows do not. */
function withoutType(pop: Pop & { type?: string }): Pop {
  const { type: _, ...rest } = pop
  return rest
}

function hold(view: LiveView, contact: string, held: boolean): void {
  const talking = (row: AgentRow): boolean => row.contact === contact && row.state === 'on_contact'
  const row = [...view.agents.values()].find(talking)
  if (row) view.agents.set(row.id, { ...row, held })
}

function stage(view: LiveView, contact: string, changes: Partial<ContactRow>): void {
  const row = view.contacts.get(contact)
  if (row) view.contacts.set(contact, { ...row, ...changes })
}

/** Whoever was not ready when a contact of another kind reached him goes back to that. */
function nextAfter(row: AgentRow, state: string): string | null {
  if (!BUSY_STATES.has(state)) return null
  return BUSY_STATES.has(row.state) || row.state === 'available' ? row.next : 'not_ready'
}

function entryGone(view: LiveView, { subject, data }: Envelope): void {
  view.entries.delete(text(data['entry']))
  stage(view, subject, { stage: 'flow', queue: null })
}

function offerGone(view: LiveView, { data }: Envelope): void {
  const offer = text(data['offer'])
  view.offers.delete(offer)
  view.pops.delete(offer)
}

const FOLDS: Readonly<Record<string, (view: LiveView, event: Envelope) => void>> = {
  'acd.agent.state_changed': (view, { subject, data }) => {
    const state = text(data['state'])
    const row = view.agents.get(subject) ?? { id: subject, ...SIGNED_OUT }
    view.agents.set(subject, {
      ...row,
      state,
      reason: textOrNull(data['reason']),
      contact: textOrNull(data['contact']),
      since: textOrNull(data['since']),
      until: textOrNull(data['until']),
      next: nextAfter(row, state),
      held: row.held && state === 'on_contact' && data['contact'] === row.contact,
    })
    if (BUSY_STATES.has(state)) return
    for (const pop of view.pops.values()) if (pop.agent === subject) view.pops.delete(pop.offer)
  },
  'acd.agent.next_state_chosen': (view, { subject, data }) => {
    const row = view.agents.get(subject) ?? { id: subject, ...SIGNED_OUT }
    const state = text(data['state'])
    view.agents.set(subject, { ...row, next: state === 'available' ? null : state })
  },
  'acd.presence.changed': (view, { subject, data }) => {
    view.agents.set(subject, {
      ...(view.agents.get(subject) ?? { id: subject, ...SIGNED_OUT }),
      phone: Boolean(data['phone']),
      console: Boolean(data['console']),
    })
  },
  'calls.bridge.held': (view, { subject }) => hold(view, subject, true),
  'calls.bridge.resumed': (view, { subject }) => hold(view, subject, false),
  'calls.contact.received': (view, { subject, at }) => {
    view.contacts.set(subject, { id: subject, stage: 'arrived', since: at, queue: null, agent: null })
  },
  'calls.contact.ended': (view, { subject }) => {
    view.contacts.delete(subject)
  },
  'ivr.flow.started': (view, { subject }) => stage(view, subject, { stage: 'flow' }),
  'acd.entry.queued': (view, { subject, at, data }) => {
    const entry = text(data['entry'])
    const queue = text(data['queue'])
    const since = textOrNull(data['since']) ?? at
    view.entries.set(entry, { id: entry, contact: subject, queue, since, callback: data['callback'] === true })
    stage(view, subject, { stage: 'waiting', queue })
  },
  'acd.entry.answered': (view, { subject, data }) => {
    view.entries.delete(text(data['entry']))
    stage(view, subject, { stage: 'talking', agent: textOrNull(data['agent']) })
  },
  'acd.entry.abandoned': entryGone,
  'acd.entry.ended': entryGone,
  'acd.offer.created': (view, { subject, data }) => {
    const offer = text(data['offer'])
    view.offers.set(offer, {
      id: offer,
      contact: subject,
      entry: text(data['entry']),
      queue: text(data['queue']),
      agent: text(data['agent']),
      ring_until: textOrNull(data['ring_until']),
      delivery: textOrNull(data['delivery']) ?? 'phone',
    })
  },
  'acd.offer.accepted': (view, { data }) => {
    view.offers.delete(text(data['offer']))
  },
  'acd.offer.declined': offerGone,
  'acd.offer.timed_out': offerGone,
  'acd.offer.rescinded': offerGone,
  'acd.offer.failed': offerGone,
}
