import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../net/api'
import type { LiveFrame } from '../net/frames'
import { ConsoleSync, type Socket, type Status } from '../net/sync'

class FakeSocket implements Socket {
  onopen: (() => void) | null = null
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: unknown[] = []
  closed = false

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  close(): void {
    this.closed = true
  }
  says(...frames: object[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) })
  }
}

const WELCOME = { type: 'welcome', user: 'u', name: 'Ann', agent: 'ann', permissions: [], heartbeat_s: 15 }
const SNAPSHOT = { type: 'snapshot', positions: { live: 10 }, agents: [], contacts: [], entries: [], offers: [], pops: [] }
const event = (seq: number): object => ({
  type: 'event',
  event: { stream: 'live', seq, id: `e${seq}`, v: 1, type: 'x', at: '', subject: 's', data: {} },
})

describe('the console connection', () => {
  let sockets: FakeSocket[]
  let frames: LiveFrame[]
  let statuses: Status[]
  let ticket: () => Promise<string>
  let sync: ConsoleSync

  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)
  const last = (): FakeSocket => {
    const socket = sockets.at(-1)
    if (!socket) throw new Error('no socket was opened')
    return socket
  }

  beforeEach(async () => {
    vi.useFakeTimers()
    sockets = []
    frames = []
    statuses = []
    ticket = () => Promise.resolve(`ticket${sockets.length}`)
    sync = new ConsoleSync({
      ticket: () => ticket(),
      open: () => {
        sockets.push(new FakeSocket())
        return last()
      },
      onFrame: (frame) => frames.push(frame),
      onWelcome: () => undefined,
      onStatus: (status) => statuses.push(status),
      random: () => 1,
    })
    sync.start()
    await settle()
    last().onopen?.()
  })

  afterEach(() => {
    sync.stop()
    vi.useRealTimers()
  })

  it('authenticates with a ticket and says hello without a position', () => {
    last().says(WELCOME)
    expect(last().sent).toEqual([
      { type: 'auth', ticket: 'ticket0' },
      { type: 'hello', positions: {} },
    ])
    expect(statuses).toEqual(['connecting', 'live'])
  })

  it('comes back after a loss with a new ticket and the last position', async () => {
    last().says(WELCOME, SNAPSHOT, event(11), event(14))
    last().onclose?.({ code: 1006 })
    expect(statuses.at(-1)).toBe('waiting')
    await vi.advanceTimersByTimeAsync(500)
    expect(sockets).toHaveLength(2)
    last().onopen?.()
    last().says(WELCOME)
    expect(last().sent).toEqual([
      { type: 'auth', ticket: 'ticket1' },
      { type: 'hello', positions: { live: 14 } },
    ])
  })

  it('passes over an event that it has had, and takes the position of a heartbeat', () => {
    last().says(WELCOME, SNAPSHOT, event(11), event(11), { type: 'heartbeat', at: '', positions: { live: 20 } }, event(20))
    expect(frames.map((frame) => frame.type)).toEqual(['snapshot', 'event', 'heartbeat'])
    expect(sync.positions).toEqual({ live: 20 })
  })

  it('goes back to the position of a snapshot, for the server may have another journal', () => {
    last().says(WELCOME, SNAPSHOT, { ...SNAPSHOT, positions: { live: 3 } }, event(4))
    expect(sync.positions).toEqual({ live: 4 })
  })

  it('waits longer after each failure, but no longer than ten seconds', async () => {
    const pauses: number[] = []
    for (let round = 0; round < 7; round += 1) {
      last().onclose?.({ code: 1006 })
      const opened = sockets.length
      let waited = 0
      while (sockets.length === opened && waited < 60_000) {
        await vi.advanceTimersByTimeAsync(500)
        waited += 500
      }
      pauses.push(waited)
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  })

  it('gives up a server that is silent for two and a half heartbeats', async () => {
    last().says(WELCOME)
    await vi.advanceTimersByTimeAsync(37_000)
    expect(statuses.at(-1)).toBe('live')
    await vi.advanceTimersByTimeAsync(1000)
    expect(sockets[0]?.closed).toBe(true)
    expect(statuses).toContain('waiting')
  })

  it.each([
    [4403, 'signed_out'],
    [4400, 'outdated'],
  ] as const)('does not come back after close code %d', async (code, status) => {
    last().onclose?.({ code })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
    expect(statuses.at(-1)).toBe(status)
  })

  it('is signed out when no ticket is given any more', async () => {
    ticket = () => Promise.reject(new ApiError('not_authenticated', 401))
    last().onclose?.({ code: 4401 })
    await vi.advanceTimersByTimeAsync(1000)
    expect(statuses.at(-1)).toBe('signed_out')
  })

  it('goes on trying while the server is away', async () => {
    ticket = () => Promise.reject(new ApiError('offline', 0))
    last().onclose?.({ code: 1012 })
    await vi.advanceTimersByTimeAsync(3000)
    expect(statuses.at(-1)).toBe('waiting')
    ticket = () => Promise.resolve('again')
    sync.retryNow()
    await settle()
    expect(sockets).toHaveLength(2)
  })

  it('ignores frames that this page does not know', () => {
    last().says(WELCOME, { type: 'fireworks' })
    last().onmessage?.({ data: 'no json' })
    expect(frames).toEqual([])
  })

  it('opens nothing after it was stopped', async () => {
    sync.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(last().closed).toBe(true)
    expect(sockets).toHaveLength(1)
  })
})
