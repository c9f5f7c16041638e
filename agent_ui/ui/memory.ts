/** Small preferences kept in this browser; a browser that keeps none is fine. */

const PREFIX = 'callcenter.'

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // Private windows may refuse; the preference then lasts as long as the page.
  }
}
