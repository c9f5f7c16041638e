import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import PolicyPage from '../apps/console/policy/PolicyPage.svelte'
import { TEXTS as POLICY } from '../apps/console/policy/texts'
import { TEXTS as WHY } from '../apps/console/why/texts'
import WhyPage from '../apps/console/why/WhyPage.svelte'
import { details, headline, needsText, standing } from '../apps/console/why/words'
import { queuesIn, valueIn, withValue } from '../domain/queueText'
import { setLocale } from '../i18n/index.svelte'
import { learnNames } from '../ui/names.svelte'
import { FakeServer, ok, type Asked } from './server'

const AT = '2026-03-02T09:00:00Z'
const version = (number: number, rest: object = {}): object => ({
  version: number, policy: 'abc', based_on: number > 1 ? 1 : null, author: 'files', at: AT, note: 'n', activated_at: AT,
  activated_by: 'files', active: true, queues: 'queues:\n  - name: billing\n', agents: 'agents: []\n', diff: '', ...rest,
})
let page: ReturnType<typeof mount> | null = null
let server: FakeServer

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  setLocale('en')
  server = new FakeServer()
  Object.assign(server.answers, {
    'GET /api/admin/policy': ok(version(1)),
    'GET /api/admin/policy/versions': ok({ versions: [version(1)] }),
    'POST /api/admin/policy/check': ({ body }: Asked) =>
      ok({ errors: [], diff: body?.['agents'] === 'agents: []\n' ? '' : '--- a\n+x\n' }),
    'GET /api/names': ok({ zone: 'UTC', users: {}, agents: { ann: 'Ann Archer' }, dispositions: {} }),
  })
})
afterEach(async () => {
  if (page) await unmount(page)
  page = null
  document.body.innerHTML = ''
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  await vi.advanceTimersByTimeAsync(1)
  flushSync()
}
const open = async (what: typeof PolicyPage | typeof WhyPage, rest = ''): Promise<void> => {
  page = mount(what, { target: document.body, props: { desk: {} as never, now: 0, rest } })
  await settled()
}
const text = (): string => document.body.textContent ?? ''
const button = (name: string): HTMLButtonElement => {
  const found = [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === name)
  if (!found) throw new Error(`no button ${name}`)
  return found
}
async function writeAgents(value: string): Promise<void> {
  const area = document.querySelectorAll('textarea')[1]!
  area.value = value
  area.dispatchEvent(new Event('input', { bubbles: true }))
  await vi.advanceTimersByTimeAsync(600)
  await settled()
}

describe('the policy page', () => {
  it('shows what is in force and saves nothing that does not differ', async () => {
    await open(PolicyPage)
    expect(text()).toContain('In force: version 1, by the files in config/')
    expect(text()).toContain('Nothing differs from the version in force.')
    expect(button('Save and put in force').getAttribute('aria-disabled')).toBe('true')
    button('Save and put in force').click()
    await settled()
    expect(server.asked.some((one) => one.method === 'PUT')).toBe(false)
  })

  it('names a mistake at its key and line, and saves nothing with one', async () => {
    const error = { file: 'agents.yaml', key: 'agents[0].skills.billing', message: 'too high', line: 1 }
    server.answers['POST /api/admin/policy/check'] = ok({ errors: [error], diff: '+' })
    await open(PolicyPage)
    await writeAgents('agents: [7]\n')
    expect(text()).toContain('agents[0].skills.billing')
    expect(text()).toContain('One mistake')
    const area = document.querySelectorAll('textarea')[1]!
    expect(area.getAttribute('aria-invalid')).toBe('true')
    button('line 1').click()
    expect([area.selectionStart, area.selectionEnd]).toEqual([0, 11])
    expect(button('Save only').getAttribute('aria-disabled')).toBe('true')
  })

  it('saves what was edited with its note, against the version that it began from', async () => {
    server.answers['PUT /api/admin/policy'] = ok(version(2, { note: 'why' }))
    await open(PolicyPage)
    await writeAgents('agents: [1]\n')
    button('Save and put in force').click()
    await settled()
    const put = server.asked.find((one) => one.method === 'PUT')!
    expect(put.body).toMatchObject({ agents: 'agents: [1]\n', based_on: 1, activate: true })
    expect(text()).toContain('Version 2 is in force.')
  })

  it('writes the common terms of a queue into its text', async () => {
    await open(PolicyPage)
    const seconds = document.querySelector<HTMLInputElement>('fieldset input')!
    seconds.value = '45'
    seconds.dispatchEvent(new Event('input', { bubbles: true }))
    await vi.advanceTimersByTimeAsync(600)
    await settled()
    const written = 'queues:\n  - name: billing\n    wrap_up_s: 45\n'
    expect(document.querySelector('textarea')!.value).toBe(written)
    expect(server.asked.at(-1)?.body).toMatchObject({ queues: written })
    expect(seconds.isConnected && seconds.value).toBe('45')
  })

  it('keeps what is not saved when another version is put in force', async () => {
    server.answers['GET /api/admin/policy/versions'] = ok({ versions: [version(2), version(1, { active: false })] })
    server.answers['GET /api/admin/policy/versions/1'] = ok(version(1, { active: false }))
    server.answers['POST /api/admin/policy/versions/1/activate'] = ok(version(1, { agents: 'agents: [0]\n' }))
    await open(PolicyPage)
    const agents = (): string => document.querySelectorAll('textarea')[1]!.value
    document.querySelector<HTMLButtonElement>('[aria-label="Show: Version 1"]')!.click()
    await settled()
    await writeAgents('agents: [1]\n')
    button('Put version 1 in force').click()
    await settled()
    expect([text().includes('Version 1 is in force.'), agents()]).toEqual([true, 'agents: [1]\n'])
    await writeAgents('agents: []\n')
    button('Put version 1 in force').click()
    await settled()
    expect(agents()).toBe('agents: [0]\n')
  })

  it('keeps the text when somebody else was faster', async () => {
    const body = { code: 'policy_changed', data: { active: 3 } }
    server.answers['PUT /api/admin/policy'] = { status: 409, body }
    await open(PolicyPage)
    await writeAgents('agents: [1]\n')
    button('Save and put in force').click()
    await settled()
    expect(text()).toContain('Version 3 is in force by now.')
    expect(document.querySelectorAll('textarea')[1]!.value).toBe('agents: [1]\n')
  })
})

describe('the text of the queues', () => {
  const text = `# all
queues:
  - name: billing
    skills: {billing: 1}
    wrap_up_s: 15   # as agreed
    overflow:
      - {when: length, limit: 20, to: voicemail}
      - when: waited
        ring_s: 7
  - ring_s: 9
    name: "sales chinese"
dispositions:
  - {code: sold, names: {en: Sold}}
`

  it('is read for its queues and their own keys', () => {
    expect(queuesIn(text)).toEqual(['billing', 'sales chinese'])
    expect([valueIn(text, 'billing', 'wrap_up_s'), valueIn(text, 'billing', 'ring_s')]).toEqual(['15', ''])
    expect(valueIn(text, 'sales chinese', 'ring_s')).toBe('9')
    expect(queuesIn('queues: [{name: a}]')).toEqual([])
    // A queue is begun as the copy of another.
    expect(queuesIn('queues:\n  - name: a\n  - name: a\n')).toEqual(['a'])
  })

  it('changes by the one line that is meant', () => {
    expect(withValue(text, 'billing', 'wrap_up_s', '20')).toBe(text.replace('15   #', '20   #'))
    expect(withValue(text, 'billing', 'wrap_up_s', '')).toBe(text.replace('    wrap_up_s: 15   # as agreed\n', ''))
    expect(withValue(text, 'billing', 'ring_s', '8')).toBe(text.replace('billing\n', 'billing\n    ring_s: 8\n'))
    const sales = '    name: "sales chinese"\n'
    expect(withValue(text, 'sales chinese', 'wrap_up', 'optional')).toBe(text.replace(sales, `${sales}    wrap_up: optional\n`))
    expect(withValue(text, 'sales chinese', 'ring_s', '10')).toBe(text.replace('ring_s: 9', 'ring_s: 10'))
    expect(withValue(text, 'nobody', 'ring_s', '10')).toBe(text)
  })
})

describe('the page of a call’s waits', () => {
  it('tells every agent’s reason by name', async () => {
    const agents = [
      { agent: 'ann', reason: 'chosen', detail: null, order: { contacts: 3 } },
      { agent: 'bob', reason: 'not_ready', detail: 'lunch', since: AT },
    ]
    const decision = { input: 7, policy: 'abc' }
    const steps = [{ at: AT, kind: 'offer.created', agent: 'ann', agents, decision }]
    server.answers['GET /api/calls/c1/why'] = ok({ contact: 'c1', replayed: true, steps })
    await learnNames()
    await open(WhyPage, 'c1')
    expect(text()).toContain('Offered to Ann Archer')
    expect(text()).toContain('chosen, 3 contacts')
    expect(text()).toContain('not ready (lunch), since')
  })

  it('says of a call that never waited that it has not', async () => {
    await open(WhyPage, 'c2')
    expect(text()).toContain('This call has waited in no queue.')
  })

  it('tells waits with reason, counts and what will change', () => {
    const step = {
      at: AT, kind: 'entry.waits', position: 2, reason: 'all_busy', counts: { on_contact: 2 },
      excluded: [{ agent: 'ann', until: AT }], widens_at: AT,
    }
    expect(headline(step)).toBe('Waits at position 2')
    expect(details(step).slice(0, 2)).toEqual(['everybody who could serve is busy', '2 on a contact'])
    expect(details(step)).toHaveLength(4)
  })

  it('tells whom a caller is to have first, and who could not be waited for', async () => {
    await learnNames()
    const step = { at: AT, kind: 'entry.queued', priority: 50, preferred: 'ann' }
    expect(details(step)).toEqual(['priority 50, for Ann Archer first'])
    const passed = { ...step, instead_of: ['zoe'] }
    expect(details(passed)).toEqual(['priority 50, for Ann Archer first, as zoe cannot be waited for'])
    expect(details({ ...step, preferred: null })).toEqual(['priority 50'])
  })

  it('writes needs with alternatives and teams', () => {
    const needs = [[{ skill: 'billing', level: 2 }], [{ skill: 'chinese', level: 1 }, { skill: '@gold', level: 1 }]]
    expect(needsText(needs)).toBe('billing ≥ 2 and (chinese ≥ 1 or team gold)')
    expect(standing({ agent: 'x', reason: 'unqualified', detail: null, lacks: needs })).toContain('not qualified, lacks')
  })

  it('shows what it does not know yet as it came', () => {
    expect(headline({ at: AT, kind: 'entry.moved_on' })).toBe('entry moved on')
    expect(standing({ agent: 'x', reason: 'new_reason', detail: null })).toBe('new_reason')
  })
})

describe('texts of pages opened later', () => {
  it.each([['policy', POLICY], ['why', WHY]])('are there in both languages: %s', (_name, texts) => {
    expect(Object.keys(texts.zh)).toEqual(Object.keys(texts.en))
    for (const [key, en] of Object.entries<string>(texts.en)) {
      const places = (one: string): string[] => (one.match(/\{\w+\}/g) ?? []).sort()
      expect(places((texts.zh as Record<string, string>)[key] ?? '')).toEqual(places(en))
    }
  })
})
