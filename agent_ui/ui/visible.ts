/** What is done again and again while somebody may look. */

/** Do `work` every `ms` while the page is visible, until the returned function is called. */
export function whileVisible(ms: number, work: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') work()
  }, ms)
  return () => clearInterval(timer)
}
