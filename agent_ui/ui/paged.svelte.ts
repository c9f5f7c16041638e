/** A list that comes page by page: from its beginning for each new question, and then more of it. */

import type { Page } from '../net/api'
import { Doing } from './doing.svelte'

type Fetch<Row, Mark> = (after: Mark | null) => Promise<Page<Row, Mark>>

export class Paged<Row, Mark = string> {
  rows = $state.raw<readonly Row[]>([])
  /** Where it goes on, null at its end. */
  next = $state.raw<Mark | null>(null)
  readonly doing = new Doing()
  #keyOf: (row: Row) => unknown
  #fetch: Fetch<Row, Mark> | null = null

  constructor(keyOf: (row: Row) => unknown) {
    this.#keyOf = keyOf
  }

  /** Show what `fetch` finds first, in the place of what there was. */
  async begin(fetch: Fetch<Row, Mark>): Promise<void> {
    await this.doing.ask(
      () => fetch(null),
      (page) => {
        this.#fetch = fetch
        this.rows = page.rows
        this.next = page.next
      },
    )
  }

  async more(): Promise<void> {
    const fetch = this.#fetch
    const after = this.next
    if (this.doing.busy || fetch === null || after === null) return
    await this.doing.ask(
      () => fetch(after),
      (page) => {
        // A row whose place has changed meanwhile comes twice.
        const known = new Set(this.rows.map(this.#keyOf))
        this.rows = [...this.rows, ...page.rows.filter((row) => !known.has(this.#keyOf(row)))]
        this.next = page.next
      },
    )
  }

  clear(): void {
    this.doing.drop()
    this.rows = []
    this.next = null
  }
}
