/**
 * What the signed-in page shows. Frames fold into a plain view at once; the screen is told at most every 50 ms, or at
 * once when a pop comes, so a busy day costs the browser little and a pop no time.
 */

import { LiveView } from '../../domain/live'
import { fetchTicket, setOwnState, type AgentWish, type Who } from '../../net/api'
import type { AgentRow, Envelope, LiveFrame, Pop, Rows } from '../../net/frames'
import { ConsoleSync, type Socket, type Status } from '../../net/sync'

const REDRAW_MS = 50
const EVENTS_KEPT = 200

export class Desk {
  status = $state<Status>('connecting')
  rows = $state.raw<Rows>({ agents: [], contacts: [], entries: [], offers: [], pops: [] })
  events = $state.raw<readonly Envelope[]>([])
  /** The pop to be read out; replaced by each new one. */
  announced = $state.raw<Pop | null>(null)
  /** What the server's clock is ahead of ours, in ms. */
  skew = $state(0)

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
      onWelcome: () => undefined,
      onStatus: (status) => (this.status = status),
    })
  }

  get me(): AgentRow | null {
    return this.rows.agents.find((agent) => agent.id === this.who.agent) ?? null
  }

  get seesAll(): boolean {
    return this.who.permissions.includes('live.read')
  }

  start(): () => void {
    this.#sync.start()
    return () => {
      this.#sync.stop()
      clearTimeout(this.#redraw)
    }
  }

  retry(): void {
    this.#sync.retryNow()
  }

  async ask(state: AgentWish, reason: string | null): Promise<void> {
    await setOwnState(state, reason)
  }

  #take(frame: LiveFrame): void {
    this.#view.take(frame)
    if (frame.type === 'heartbeat') this.skew = Date.parse(frame.at) - Date.now()
    if (frame.type === 'event') this.#recent = [frame.event, ...this.#recent].slice(0, EVENTS_KEPT)
    if (frame.type === 'pop') {
      this.announced = frame
      this.#draw()
    } else {
      this.#redraw ??= setTimeout(() => this.#draw(), REDRAW_MS)
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
