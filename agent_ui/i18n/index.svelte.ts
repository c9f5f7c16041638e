/** The page's language: remembered, else the browser's, else English. */

import { en, type Key, type Texts } from './en'
import { zh } from './zh'
import { recall, remember } from '../ui/memory'

export type Locale = 'en' | 'zh'

const TEXTS: Readonly<Record<Locale, Texts>> = { en, zh }
export const LOCALES: readonly { readonly id: Locale; readonly name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'zh', name: '中文' },
]

const isLocale = (value: string | null): value is Locale => value === 'en' || value === 'zh'

function first(): Locale {
  const kept = recall('locale')
  if (isLocale(kept)) return kept
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

let current = $state<Locale>(first())

export const locale = (): Locale => current

export function setLocale(next: Locale): void {
  current = next
  remember('locale', next)
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

export type Values = Readonly<Record<string, string | number>>

/** `text` with its `{name}` places filled in. */
export const filled = (text: string, values: Values): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place))

/** The text of `key` with its places filled in. */
export const t = (key: Key, values: Values = {}): string => filled(TEXTS[current][key], values)

/** What a thing that the site names by language is called: in the page's, else in any, else `code` itself. */
export const calledHere = (names: Readonly<Record<string, string>> | undefined, code: string): string =>
  names?.[current] ?? Object.values(names ?? {})[0] ?? code

/** The text of a key that came over the wire, `fallback` when it has none. */
export function tOr(key: string, fallback: string): string {
  return key in en ? t(key as Key) : fallback
}
