/** Something asked of the server: whether it is under way, and how it failed. */

import { ApiError } from '../net/api'

export class Doing {
  busy = $state(false)
  /** The code of the last refusal, empty after a success. */
  problem = $state('')
  #asked = 0

  /** Whether `work` succeeded; false, without starting it, while another one is under way. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false
    this.problem = ''
    return this.ask(work)
  }

  /**
   * Ask, also while an earlier question is open: only the latest one counts, whichever is answered first. Whether its
   * answer was taken. An old problem stands until then, so that what is asked again and again does not blink.
   */
  async ask<T>(question: () => Promise<T>, take?: (answer: T) => void): Promise<boolean> {
    const asked = ++this.#asked
    this.busy = true
    let problem = ''
    try {
      const answer = await question()
      if (asked === this.#asked) take?.(answer)
    } catch (error) {
      problem = error instanceof ApiError ? error.named : 'internal'
    }
    if (asked !== this.#asked) return false
    this.busy = false
    this.problem = problem
    return problem === ''
  }

  /** What was asked counts no more. */
  drop(): void {
    this.#asked += 1
    this.busy = false
    this.problem = ''
  }
}
