/** Texts that a page opened later brings with it, so that the first load stays small. */

import { filled, locale, type Locale, type Values } from './index.svelte'

export type OwnTexts<Keys extends string> = Readonly<Record<Locale, Readonly<Record<Keys, string>>>>

/** `t` for these texts: the text of a key with `{name}` places filled in. */
export function ownTexts<Keys extends string>(texts: OwnTexts<Keys>): (key: Keys, values?: Values) => string {
  return (key, values = {}) => filled(texts[locale()][key], values)
}

/** Whether `key`, which came over the wire, is one of `texts`. */
export const isKey = <Keys extends string>(texts: OwnTexts<Keys>, key: string): key is Keys => key in texts.en
