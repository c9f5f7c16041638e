/**
 * Keeps one websocket to the server: ticket, auth, hello with the last position, and all of it again after a loss.
 *
 * It owns no view: frames go to `onFrame` in order. Time, chance and sockets are arguments, so tests need none of them.
 */

import { ApiError } from './api'
import { parseFrame, type LiveFrame, type Positions, type Welcome } from './frames'

export type Status = 'connecting' | 'live' | 'waiting' | 'signed_out' | 'outdated'

export interface Socket {
  onopen: (() => void) | null
  onmessage: ((message: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(): void
}

export interface SyncOptions {
  readonly ticket: () => Promise<string>
  readonly open: () => Socket
  readonly onFrame: (frame: LiveFrame) => void
  readonly onWelcome: (welcome: Welcome) => void
  readonly onStatus: (status: Status) => void
  readonly random?: () => number
}

const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 10_000
const BAD_FRAME = 4400
const SESSION_ENDED = 4403
/** A server that is silent for so many heartbeats is gone. */
const PATIENCE = 2.5

export class ConsoleSync {
  #options: SyncOptions
  #positions: Record<string, number> = {}
  #socket: Socket | null = null
  #retries = 0
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #silenceTimer: ReturnType<typeof setTimeout> | undefined
  #silenceMs = 15_000 * PATIENCE
  #attempt = 0

  constructor(options: SyncOptions) {
    this.#options = options
  }

  get positions(): Positions {
    return this.#positions
  }

  start(): void {
    void this.#connect()
  }

  stop(): void {
    this.#attempt += 1
    clearTimeout(this.#retryTimer)
    this.#drop()
  }

  /** Try at once instead of at the end of the present pause. */
  retryNow(): void {
    clearTimeout(this.#retryTimer)
    if (this.#socket === null) void this.#connect()
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt
    this.#options.onStatus('connecting')
    let ticket: string
    try {
      ticket = await this.#options.ticket()
    } catch (error) {
      if (attempt !== this.#attempt) return
      if (error instanceof ApiError && error.status === 401) this.#options.onStatus('signed_out')
      else this.#retryLater()
      return
    }
    if (attempt !== this.#attempt) return
    const socket = this.#options.open()
    this.#socket = socket
    socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', ticket }))
    socket.onmessage = ({ data }) => this.#receive(socket, String(data))
    socket.onclose = ({ code }) => this.#closed(code)
    this.#watchSilence()
  }

  #receive(socket: Socket, text: string): void {
    this.#watchSilence()
    const frame = parseFrame(text)
    if (frame === null) return
    if (frame.type === 'welcome') {
      this.#silenceMs = frame.heartbeat_s * 1000 * PATIENCE
      socket.send(JSON.stringify({ type: 'hello', positions: this.#positions }))
      this.#retries = 0
      this.#options.onWelcome(frame)
      this.#options.onStatus('live')
      return
    }
    if (frame.type === 'event') {
      const { stream, seq } = frame.event
      if (seq <= (this.#positions[stream] ?? 0)) return
      this.#positions[stream] = seq
    } else if (frame.type === 'snapshot') {
      this.#positions = { ...frame.positions }
    } else if (frame.type === 'heartbeat') {
      this.#positions = { ...this.#positions, ...frame.positions }
    }
    this.#options.onFrame(frame)
  }

  #closed(code: number): void {
    this.#drop()
    if (code === SESSION_ENDED) this.#options.onStatus('signed_out')
    else if (code === BAD_FRAME) this.#options.onStatus('outdated')
    else this.#retryLater()
  }

  #retryLater(): void {
    this.#options.onStatus('waiting')
    const limit = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries)
    this.#retries += 1
    const chance = (this.#options.random ?? Math.random)()
    this.#retryTimer = setTimeout(() => void this.#connect(), limit * (0.5 + chance / 2))
  }

  #watchSilence(): void {
    clearTimeout(this.#silenceTimer)
    this.#silenceTimer = setTimeout(() => this.#closed(1006), this.#silenceMs)
  }

  #drop(): void {
    clearTimeout(this.#silenceTimer)
    const socket = this.#socket
    this.#socket = null
    if (socket === null) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }
}
