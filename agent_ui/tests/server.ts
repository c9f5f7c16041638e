/** The server as the page meets it: what it answers, by "METHOD /path", and what it was asked. */

import { vi } from 'vitest'

export interface Asked {
  readonly method: string
  readonly path: string
  /** null without one. */
  readonly body: Record<string, unknown> | null
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export class FakeServer {
  readonly asked: Asked[] = []
  readonly answers: Record<string, Answer | ((asked: Asked) => Answer)> = {}

  /** In the place of `fetch`, until `vi.unstubAllGlobals`. What it does not know is not found. */
  constructor() {
    vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
      const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : null
      const asked = { method: init.method ?? 'GET', path, body }
      this.asked.push(asked)
      const known = this.answers[`${asked.method} ${path}`] ?? { status: 404, body: { code: 'not_found' } }
      const { status, body: told } = typeof known === 'function' ? known(asked) : known
      return new Response(status === 204 ? null : JSON.stringify(told), { status })
    })
  }

  /** The bodies that came to `path`. */
  wishes(path: string): unknown[] {
    return this.asked.filter((one) => one.path === path).map((one) => one.body)
  }
}

export const ok = (body: unknown): Answer => ({ status: 200, body })
