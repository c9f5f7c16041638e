// @vitest-environment node
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { LiveView } from '../domain/live'
import type { LiveFrame } from '../net/frames'

interface Log {
  frames: LiveFrame[]
  checkpoints: { after: number; rows: unknown }[]
}

const path = new URL('../../tests/golden/live.json', import.meta.url)
const log = JSON.parse(readFileSync(path, 'utf8')) as Log

function fold(frames: readonly LiveFrame[]): unknown {
  const view = new LiveView()
  for (const frame of frames) view.take(frame)
  const { pops, ...rows } = view.rows()
  const cards = pops.map(({ offer, agent, customer }) => ({ offer, agent, customer }))
  return { position: view.position, ...rows, pops: cards }
}

describe('the live view', () => {
  it.each(log.checkpoints)('after $after frames of the golden log is that of the server', ({ after, rows }) => {
    expect(fold(log.frames.slice(0, after))).toEqual(rows)
  })

  it('of a fresh snapshot is that of snapshot and events', () => {
    const whole = new LiveView()
    for (const frame of log.frames) whole.take(frame)
    const fresh = new LiveView()
    fresh.take({ type: 'snapshot', positions: { live: whole.position }, ...whole.rows() })
    expect(fresh.rows()).toEqual(whole.rows())
  })
})
