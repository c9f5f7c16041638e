/** How callers and their numbers are named. */

import { t } from '../../i18n/index.svelte'
import type { Pop } from '../../net/frames'

const WITHHELD = new Set(['', 'anonymous', 'unavailable', 'restricted'])

export function callerName(pop: Pop): string {
  if (pop.customer) return pop.customer.name
  return pop.matches > 1 ? t('pop.several', { count: pop.matches }) : t('pop.unknown')
}

/** `raw` is what came in From. */
export const isWithheld = (raw: string): boolean => WITHHELD.has(raw.toLowerCase())

export function shownNumber(raw: string): string {
  return isWithheld(raw) ? t('pop.withheld') : raw
}

export const callerNumber = (pop: Pop): string => shownNumber(pop.caller)

/** Why there is no record beside the call. */
export function whyUnknown(pop: Pop): string {
  if (pop.matches > 1) return t('customer.choose')
  return t(isWithheld(pop.caller) ? 'customer.withheld' : 'customer.none')
}
