/**
 * What the signed-in page shows. Frames fold into a plain view at once; the screen is told at most every 50 ms, or at
 * once when a pop comes, so a busy day costs the browser little and a pop no time.
 */

import { LiveView } from '../../domain/live'
import { fetchTicket, type Who } from '../../net/api'
import { fetchOptions, type Options } from '../../net/desk'
import type { AgentRow, Envelope, LiveFrame, OfferRow, Pop, Rows } from '../../net/frames'
import { learnNames } from '../../ui/names.svelte'
import { ConsoleSync, type Socket, type Status } from '../../net/sync'

const REDRAW_MS = 50
const EVENTS_KEPT = 200
const ESCALATED = 'tickets.escalation.fired'
const NOTICES_KEPT = 5
const NO_OPTIONS: Options = { dispositions: {}, phones: {}, queues: [], numbers: [], wrap_up_when_asked: [] }

export class Desk {
  status = $state<Status>('connecting')
  rows = $state.raw<Rows>({ agents: [], contacts: [], entries: [], offers: [], pops: [] })
  events = $state.raw<readonly Envelope[]>([])
  /** The pop to be read out; replaced by each new one. */
  announced = $state.raw<Pop | null>(null)
  /** What the server's clock is ahead of ours, in ms. */
  skew = $state(0)
  options = $state.raw<Options>(NO_OPTIONS)
  /** What was said of contacts on this page, by contact. */
  dispositions = $state<Record<string, string>>({})
  /** Tickets that have become overdue, the newest first, until they are put away. */
  notices = $state.raw<readonly Envelope[]>([])
  /** Offers that were accepted on this page and whose phone is rung. */
  accepted = $state<string[]>([])
  /** Contacts after which a wrap-up was asked for on this page. */
  asked = $state<string[]>([])

  readonly who: Who
  #view = new LiveView()
  #recent: Envelope[] = []
  #sync: ConsoleSync
  #redraw: ReturnType<typeof setTimeout> | undefined

  constructor(who: Who, open: () => Socket = openSocket) {
    this.who = who
    this.#sync = new ConsoleSync({
      ticket: fetchTicket,
      open,
      onFrame: (frame) => this.#take(frame),
      onWelcome: () => void this.#welcomed(),
      onStatus: (status) => (this.status = status),
    })
  }

  get me(): AgentRow | null {
    return this.rows.agents.find((agent) => agent.id === this.who.agent) ?? null
  }

  get seesAll(): boolean {
    return this.may('live.read')
  }

  /** The offer that waits for this agent. */
  get offer(): OfferRow | null {
    return this.rows.offers.find((offer) => offer.agent === this.who.agent) ?? null
  }

  /** The card of the call that is offered, talked in or wrapped up. */
  get pop(): Pop | null {
    const mine = this.rows.pops.filter((pop) => pop.agent === this.who.agent)
    const offer = this.offer?.id
    const contact = this.me?.contact
    const known = mine.find((pop) => pop.offer === offer) ?? mine.findLast((pop) => pop.contact === contact)
    // A pop comes before the events of its offer.
    return known ?? mine.at(-1) ?? null
  }

  may(permission: string): boolean {
    return this.who.permissions.includes(permission)
  }

  start(): () => void {
    this.#sync.start()
    return () => {
      this.#sync.stop()
      clearTimeout(this.#redraw)
    }
  }

  putAway(notice: Envelope): void {
    this.notices = this.notices.filter((one) => one !== notice)
  }

  retry(): void {
    this.#sync.retryNow()
  }

  async #welcomed(): Promise<void> {
    await learnNames()
    if (this.who.agent === null) return
    try {
      this.options = await fetchOptions()
    } catch {
      // The desk works without; the next connection asks again.
    }
  }

  #take(frame: LiveFrame): void {
    this.#view.take(frame)
    if (frame.type === 'snapshot') {
      // The page was loaded while a call rings.
      const mine = frame.offers.filter((offer) => offer.agent === this.who.agent).map((offer) => offer.id)
      this.announced = frame.pops.find((pop) => mine.includes(pop.offer)) ?? this.announced
    }
    if (frame.type === 'heartbeat') this.skew = Date.parse(frame.at) - Date.now()
    if (frame.type === 'event') this.#happened(frame.event)
    if (frame.type === 'pop') {
      // After a lost connection the pop of a talk comes again.
      const known = this.#view.agents.get(frame.agent)
      const isBusy = known?.state === 'on_contact' || known?.state === 'wrap_up'
      if (!isBusy || known.contact !== frame.contact) this.announced = frame
      this.#draw()
    } else {
      this.#redraw ??= setTimeout(() => this.#draw(), REDRAW_MS)
    }
  }

  #happened(event: Envelope): void {
    if (event.type === ESCALATED) this.notices = [event, ...this.notices].slice(0, NOTICES_KEPT)
    this.#recent = [event, ...this.#recent].slice(0, EVENTS_KEPT)
    if (event.type === 'acd.disposition.chosen' && event.data['agent'] === this.who.agent) {
      this.dispositions[event.subject] = String(event.data['disposition'])
    }
  }

  #draw(): void {
    clearTimeout(this.#redraw)
    this.#redraw = undefined
    this.rows = this.#view.rows()
    this.events = this.#recent
  }
}

function openSocket(): Socket {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
  return new WebSocket(`${scheme}//${location.host}/ws`) as unknown as Socket
}
