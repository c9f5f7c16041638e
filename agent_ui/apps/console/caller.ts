/** How a pop names its caller. */

import { t } from '../../i18n/index.svelte'
import type { Pop } from '../../net/frames'

const WITHHELD = new Set(['', 'anonymous', 'unavailable', 'restricted'])

export function callerName(pop: Pop): string {
  if (pop.customer) return pop.customer.name
  return pop.matches > 1 ? t('pop.several', { count: pop.matches }) : t('pop.unknown')
}

export const isWithheld = (pop: Pop): boolean => WITHHELD.has(pop.caller.toLowerCase())

export function callerNumber(pop: Pop): string {
  return isWithheld(pop) ? t('pop.withheld') : pop.caller
}

/** Why there is no record beside the call. */
export function whyUnknown(pop: Pop): string {
  if (pop.matches > 1) return t('customer.choose')
  return t(isWithheld(pop) ? 'customer.withheld' : 'customer.none')
}
