import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import LaboratoryPage from '../apps/console/laboratory/LaboratoryPage.svelte'
import { figure, TEXTS } from '../apps/console/laboratory/texts'
import { setLocale } from '../i18n/index.svelte'
import { columnsOf, isSure, type Experiment } from '../net/laboratory'

const estimate = (mean: number, half: number): object => ({ mean, low: mean - half, high: mean + half })
const figures = (wait: number): object => ({
  mean_wait_s: estimate(wait, 1), asa_s: estimate(wait, 1), sl_abandons_negative: estimate(0.6, 0.01),
  p_abandon: estimate(0.1, 0.01), occupancy: estimate(0.7, 0.01),
})
const figured = (wait: number): object => ({ overall: figures(wait), by_type: { NW: figures(wait), PS: figures(wait) } })
const RESULT = {
  assumptions: ['every agent serves every call type'],
  policies: [{ name: 'as_it_is', ...figured(36) }, { name: 'p1', ...figured(30) }],
  differences: [{ name: 'p1', ...figured(-6) }],
}
const experiment = (rest: object = {}): Experiment =>
  ({ id: 'e1', kind: 'day', subject: '1999-02-03', names: ['two more'], at: '2026-03-02T09:00:00Z', state: 'running',
    done: 3, wanted: 20, problem: '', result: null, ...rest }) as Experiment

let page: ReturnType<typeof mount> | null = null
let posted: Record<string, unknown>[] = []
let now: Experiment | null = null

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  setLocale('en')
  posted = []
  now = null
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const answer = (value: unknown, status = 200): Response => new Response(JSON.stringify(value), { status })
    if (path === '/api/laboratory')
      return answer({ days: [{ day: '1999-02-03', calls: 1949 }], scenarios: [{ name: 'multi_skill', groups: ['g1', 'g2'] }] })
    if (init.method === 'POST') {
      posted.push(JSON.parse(String(init.body)) as Record<string, unknown>)
      now = experiment()
      return answer(now, 201)
    }
    if (init.method === 'DELETE') return answer((now = experiment({ state: 'cancelled' })))
    return path.endsWith('/experiments') ? answer({ experiments: now ? [now] : [] }) : answer(now)
  })
})
afterEach(async () => {
  if (page) await unmount(page)
  page = null
  document.body.innerHTML = ''
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const settled = async (ms = 1): Promise<void> => {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve()
  await vi.advanceTimersByTimeAsync(ms)
  for (let turn = 0; turn < 30; turn++) await Promise.resolve()
  flushSync()
}
const open = async (): Promise<void> => {
  page = mount(LaboratoryPage, { target: document.body, props: { desk: {} as never, now: 0, rest: '' } })
  await settled()
}
const text = (): string => document.body.textContent ?? ''
const button = (name: string): HTMLButtonElement => {
  const found = [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === name)
  if (!found) throw new Error(`no button ${name}`)
  return found
}
const submit = async (): Promise<void> => {
  document.querySelector('form')!.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }))
  await settled()
}

describe('the laboratory', () => {
  it('asks for a day with a change and follows it to its result', async () => {
    await open()
    await submit()
    expect(posted[0]).toMatchObject({ kind: 'day', subject: '1999-02-03', replications: 20 })
    expect(posted[0]!['alternatives']).toEqual([{ name: 'Change 1', rule: 'longest_idle', head_start_s: 0, more: 0, group: null }])
    expect(text()).toContain('3 of 20 replications')
    now = experiment({ state: 'done', result: RESULT })
    await settled(1100)
    expect(document.querySelectorAll('svg[role=img]')).toHaveLength(5)
    expect(document.querySelector('svg')!.getAttribute('aria-label')).toContain('As it is: 36.0; two more: 30.0')
    expect(text()).toContain('-6.0 [-7.0, -5.0] *')
    expect(text()).toContain('every agent serves every call type')
  })

  it('stops what runs', async () => {
    await open()
    await submit()
    button('Stop').click()
    await settled()
    expect(text()).toContain('1999-02-03: stopped')
  })

  it('offers the groups of a scenario and what it knows of rules', async () => {
    await open()
    const kind = document.querySelector('select')!
    kind.value = 'scenario'
    kind.dispatchEvent(new Event('change', { bubbles: true }))
    await settled()
    expect(text()).not.toContain('quickest')
    await submit()
    expect(posted[0]).toMatchObject({ kind: 'scenario', subject: 'multi_skill', alternatives: [{ group: 'g1' }] })
  })

  it('has at most three changes, and lets go of one', async () => {
    await open()
    button('Add a change').click()
    await settled()
    button('Add a change').click()
    await settled()
    expect(document.querySelectorAll('fieldset')).toHaveLength(3)
    expect([...document.querySelectorAll('button')].some((one) => one.textContent === 'Add a change')).toBe(false)
    button('Remove change 2').click()
    await settled()
    expect(document.querySelectorAll('fieldset')).toHaveLength(2)
  })

  it('speaks Chinese with the same places', () => {
    const places = (value: string): string[] => (value.match(/\{\w+\}/g) ?? []).sort()
    for (const [key, value] of Object.entries(TEXTS.en)) expect(places(TEXTS.zh[key as keyof typeof TEXTS.en])).toEqual(places(value))
  })
})

describe('what came of an experiment', () => {
  it('reads the policies of a day and of a scenario alike', () => {
    const day = columnsOf(experiment({ state: 'done', result: RESULT }), 'as it is')
    expect(day.map((one) => [one.name, one.difference === null])).toEqual([['as it is', true], ['two more', false]])
    const scenario = { ...figured(36), policies: [{ name: 'p1', ...figured(30), difference: figured(-6) }] }
    const columns = columnsOf(experiment({ kind: 'scenario', state: 'done', result: scenario }), 'as it is')
    expect(columns.map((one) => one.name)).toEqual(['as it is', 'two more'])
    expect(columns[1]!.difference).not.toBeNull()
    expect(columnsOf(experiment(), 'as it is')).toEqual([])
  })

  it('tells chance from what is sure, seconds from shares', () => {
    expect([isSure({ mean: 1, low: 0.1, high: 2 }), isSure({ mean: 1, low: -1, high: 2 })]).toEqual([true, false])
    expect([figure('asa_s', 1.25, true), figure('p_abandon', 0.125), figure('occupancy', null)]).toEqual(['+1.3', '12.5 %', '–'])
  })
})
