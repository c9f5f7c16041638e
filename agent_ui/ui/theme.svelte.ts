/** Light, dark, or as the system has it. */

import { recall, remember } from './memory'

export type Theme = 'auto' | 'light' | 'dark'
export const THEMES: readonly Theme[] = ['auto', 'light', 'dark']

const kept = recall('theme')
let current = $state<Theme>(kept === 'light' || kept === 'dark' ? kept : 'auto')

export const theme = (): Theme => current

export function setTheme(next: Theme): void {
  current = next
  remember('theme', next)
  document.documentElement.dataset['theme'] = next
}
