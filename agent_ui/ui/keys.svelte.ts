/**
 * One-key shortcuts. The last one registered for a key has it; none works while somebody types, or when switched off
 * (WCAG 2.1.4: speech input and stray keys must not hang up a call).
 */

import { recall, remember } from './memory'

const TYPING = 'input:not([type=radio], [type=checkbox], [type=range]), select, textarea, [contenteditable], dialog[open]'

const holders = new Map<string, (() => void)[]>()
let on = $state(recall('keys') !== 'off')

export const keysOn = (): boolean => on

export function setKeysOn(next: boolean): void {
  on = next
  remember('keys', next ? 'on' : 'off')
}

/** Run `run` for `key` (as KeyboardEvent has it, small letter) until the returned function is called. */
export function shortcut(key: string, run: () => void): () => void {
  holders.set(key, [...(holders.get(key) ?? []), run])
  return () => holders.set(key, (holders.get(key) ?? []).filter((one) => one !== run))
}

/** The page's one listener for keys. */
export function takeKey(event: KeyboardEvent): void {
  if (!on || event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return
  if (event.target instanceof Element && event.target.closest(TYPING)) return
  const run = holders.get(event.key.toLowerCase())?.at(-1)
  if (!run) return
  event.preventDefault()
  run()
}
