/** The customer on the desk: record and timeline, read again when another one calls or something was added. */

import { showCustomer, timelineOf, type CustomerRecord, type TimelineItem } from '../../../net/customers'
import { Doing } from '../../../ui/doing.svelte'
import { Paged } from '../../../ui/paged.svelte'

export class CustomerCard {
  record = $state.raw<CustomerRecord | null>(null)
  readonly timeline = new Paged<TimelineItem>((item) => item.id)
  #doing = new Doing()

  get problem(): string {
    return this.#doing.problem || this.timeline.doing.problem
  }

  /** Show `id`, or nobody. What arrives for an earlier one is dropped. */
  async show(id: string | null): Promise<void> {
    if (this.record?.id !== id) this.#clear()
    if (id === null) return
    await Promise.all([
      this.#doing.ask(() => showCustomer(id), (record) => (this.record = record)),
      this.timeline.begin((after) => timelineOf(id, after)),
    ])
  }

  #clear(): void {
    this.record = null
    this.#doing.drop()
    this.timeline.clear()
  }
}
