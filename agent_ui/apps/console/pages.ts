/** The pages of the console, for whom they are, and which one the address names. */

import type { Who } from '../../net/api'

export type Page = 'desk' | 'live' | 'calls'

export const PAGES: readonly Page[] = ['desk', 'live', 'calls']

const NEEDS: Readonly<Record<Page, (who: Who) => boolean>> = {
  desk: (who) => who.agent !== null && who.permissions.includes('desk.use'),
  live: (who) => who.permissions.includes('live.read'),
  calls: (who) => who.permissions.includes('calls.read'),
}

export const pagesOf = (who: Who): readonly Page[] => PAGES.filter((page) => NEEDS[page](who))

/** The page that `hash` (`#calls`) names if it is one of `pages`, else the first. */
export function pageAt(hash: string, pages: readonly Page[]): Page | null {
  return pages.find((page) => `#${page}` === hash.split('/')[0]) ?? pages[0] ?? null
}
