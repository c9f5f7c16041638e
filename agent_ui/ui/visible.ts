/** When to ask again: while somebody may look, and not for each of many changes. */

/** Do `work` every `ms` while the page is visible, until the returned function is called. */
export function whileVisible(ms: number, work: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') work()
  }, ms)
  return () => clearInterval(timer)
}

/** `ask` does `work` at once, and what is asked for within `ms` after it is done once at their end. */
export function spaced(ms: number, work: () => void): { ask: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isWanted = false
  function rest(): void {
    timer = undefined
    if (isWanted) ask()
  }
  function ask(): void {
    isWanted = timer !== undefined
    if (isWanted) return
    timer = setTimeout(rest, ms)
    work()
  }
  return { ask, stop: () => clearTimeout(timer) }
}
