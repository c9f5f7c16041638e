/** The customer on the desk: record and timeline, read again when another one calls or something was added. */

import { ApiError } from '../../../net/api'
import { showCustomer, timelineOf, type CustomerRecord, type TimelineItem } from '../../../net/customers'

export class CustomerCard {
  record = $state.raw<CustomerRecord | null>(null)
  items = $state.raw<readonly TimelineItem[]>([])
  next = $state<string | null>(null)
  problem = $state('')
  #asked = 0

  /** Show `id`, or nobody. What arrives for an earlier one is dropped. */
  async show(id: string | null): Promise<void> {
    const asked = ++this.#asked
    if (this.record?.id !== id) this.#clear()
    if (id === null) return
    try {
      const [record, timeline] = await Promise.all([showCustomer(id), timelineOf(id)])
      if (asked !== this.#asked) return
      this.record = record
      this.items = timeline.items
      this.next = timeline.next
    } catch (error) {
      if (asked === this.#asked) this.problem = error instanceof ApiError ? error.code : 'internal'
    }
  }

  async more(): Promise<void> {
    if (this.record === null || this.next === null) return
    const asked = this.#asked
    try {
      const timeline = await timelineOf(this.record.id, this.next)
      if (asked !== this.#asked) return
      this.items = [...this.items, ...timeline.items]
      this.next = timeline.next
    } catch (error) {
      if (asked === this.#asked) this.problem = error instanceof ApiError ? error.code : 'internal'
    }
  }

  #clear(): void {
    this.record = null
    this.items = []
    this.next = null
    this.problem = ''
  }
}
