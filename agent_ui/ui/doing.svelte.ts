/** Something asked of the server: one at a time, and how it failed. */

import { ApiError } from '../net/api'

export class Doing {
  busy = $state(false)
  /** The code of the last refusal, empty after a success. */
  problem = $state('')

  /** Whether `work` succeeded; false, without starting it, while another one is under way. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    this.problem = ''
    try {
      await work()
      return true
    } catch (error) {
      this.problem = error instanceof ApiError ? error.named : 'internal'
      return false
    } finally {
      this.busy = false
    }
  }
}
