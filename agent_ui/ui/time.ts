/** Durations and times of day as the screen shows them: in the site's zone, wherever the browser is. */

import { zone } from './names.svelte'

/** `61000` is `1:01`, an hour and more has hours; never below zero. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

// Midnight is 00:00; `hour12: false` makes it 24:00 in English.
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }

/** The time of day with seconds. */
export function timeOfDay(at: string, locale: string): string {
  return new Date(at).toLocaleTimeString(locale, { ...CLOCK, second: '2-digit', timeZone: zone() })
}

/** The day and time of day, without the year. */
export function dayAndTime(at: string, locale: string): string {
  return new Date(at).toLocaleString(locale, { ...CLOCK, month: '2-digit', day: '2-digit', timeZone: zone() })
}
