import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { EntryRow } from '../net/frames'
import WaitingTable from '../apps/console/live/WaitingTable.svelte'
import { WAITING_TEXTS } from '../apps/console/live/waitingTexts'
import { setLocale } from '../i18n/index.svelte'
import { FakeServer, ok } from './server'

const NOON = Date.parse('2026-03-02T12:00:00Z')
const waiter = (id: string, rest: object = {}): object => ({
  id, contact: id, queue: 'billing', state: 'waiting', priority: 50, since: '2026-03-02T11:58:30Z', position: 1,
  expected_wait_ms: 61_000, callback: false, ...rest,
})

let page: ReturnType<typeof mount> | null = null
let server: FakeServer

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  setLocale('en')
  server = new FakeServer()
  server.answers['GET /api/entries'] = ok({ entries: [waiter('c1-q1'), waiter('c2-q1', { position: 2, callback: true })] })
  for (const path of ['c1-q1/move', 'c2-q1/priority', 'c1-q1/cancel'])
    server.answers[`POST /api/entries/${path}`] = { status: 204, body: null }
})
afterEach(async () => {
  if (page) await unmount(page)
  page = null
  document.body.innerHTML = ''
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const settled = async (): Promise<void> => {
  flushSync()
  await vi.advanceTimersByTimeAsync(600)
  flushSync()
}
const open = async (mayControl = true): Promise<void> => {
  page = mount(WaitingTable, {
    target: document.body,
    props: { entries: [], queues: ['billing', 'sales'], now: NOON, mayControl },
  })
  await settled()
}
const wishes = (): unknown[] =>
  server.asked.filter((one) => one.method !== 'GET').map((one) => [one.path, one.body])
const choose = async (label: string, value: string): Promise<void> => {
  const select = document.querySelector<HTMLSelectElement>(`select[aria-label="${label}"]`)
  if (!select) throw new Error(`no ${label}`)
  select.value = value
  select.dispatchEvent(new Event('change', { bubbles: true }))
  await settled()
}

it('tells place, time and the wait to expect of each who waits', async () => {
  await open()
  const rows = [...document.querySelectorAll('tbody tr')].map((row) => row.textContent?.replace(/\s+/g, ' ') ?? '')
  expect(rows[0]).toContain('1:30')
  expect(rows[0]).toContain('about 2 min')
  expect(rows[1]).toContain('callback')
})

it('moves, prioritises, and takes out once that was said twice', async () => {
  await open()
  await choose('Move to another queue from billing: 1', 'sales')
  await choose('Priority in billing: 2', '90')
  const button = document.querySelector<HTMLButtonElement>('button[aria-label="Take out of billing: 1"]')
  button?.click()
  await settled()
  expect(wishes()).toHaveLength(2)
  button?.click()
  await settled()
  expect(wishes()).toEqual([
    ['/api/entries/c1-q1/move', { queue: 'sales' }],
    ['/api/entries/c2-q1/priority', { priority: 90 }],
    ['/api/entries/c1-q1/cancel', null],
  ])
})

it('opens a list by an arrow, instead of choosing from it', async () => {
  await open()
  const select = document.querySelector('select')!
  let isOpen = false
  select.showPicker = () => void (isOpen = true)
  const arrow = new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true })
  select.dispatchEvent(arrow)
  expect([arrow.defaultPrevented, isOpen]).toEqual([true, true])
})

it('offers nothing to those who may only look', async () => {
  await open(false)
  expect(document.querySelectorAll('select, button').length).toBe(0)
})

it('is read again when others wait, and once more for all that follow', async () => {
  let entries: readonly EntryRow[] = $state.raw([])
  const row = (id: string): EntryRow => ({ id, contact: id, queue: 'billing', since: '2026-03-02T11:58:30Z', callback: false })
  page = mount(WaitingTable, {
    target: document.body,
    props: { get entries() { return entries }, queues: [], now: NOON, mayControl: false },
  })
  await settled()
  const reads = (): number => server.wishes('/api/entries').length
  expect(reads()).toBe(1)
  for (const ids of [['c1'], ['c1', 'c2'], ['c2']]) {
    entries = ids.map(row)
    flushSync()
    expect(reads()).toBe(2)
  }
  await settled()
  expect(reads()).toBe(3)
  entries = [row('c2')]
  await settled()
  expect(reads()).toBe(3)
})

it('has every text in both languages', () => {
  expect(Object.keys(WAITING_TEXTS.zh)).toEqual(Object.keys(WAITING_TEXTS.en))
})
