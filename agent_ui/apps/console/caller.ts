/** How a pop names its caller. */

import { t } from '../../i18n/index.svelte'
import type { Pop } from '../../net/frames'

const WITHHELD = new Set(['', 'anonymous', 'unavailable', 'restricted'])

export function callerName(pop: Pop): string {
  if (pop.customer) return pop.customer.name
  return pop.matches > 1 ? t('pop.several', { count: pop.matches }) : t('pop.unknown')
}

export function callerNumber(pop: Pop): string {
  return WITHHELD.has(pop.caller.toLowerCase()) ? t('pop.withheld') : pop.caller
}
