import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import App from '../apps/console/App.svelte'
import { shownNumber } from '../apps/console/caller'
// Loaded with the tests, so that opening such a page waits for nothing.
import '../apps/console/calls/CallsPage.svelte'
import '../apps/console/live/LivePage.svelte'
import { en } from '../i18n/en'
import { setLocale } from '../i18n/index.svelte'
import { zh } from '../i18n/zh'
import { dayAndTime, timeOfDay } from '../ui/time'
import { FakeServer, ok } from './server'

class FakeWebSocket {
  static last: FakeWebSocket | null = null
  onopen: (() => void) | null = null
  onmessage: ((message: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  constructor() {
    FakeWebSocket.last = this
  }
  send(): void {}
  close(): void {}
  says(...frames: object[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) })
  }
}

const MAY = ['desk.use', 'customers.read', 'customers.write', 'tickets.write']
const ANN = { user: 'u1', login: 'ann', name: 'Ann', role: 'agent', agent: 'ann', permissions: MAY }
const WELCOME = { type: 'welcome', user: 'u1', name: 'Ann', agent: 'ann', permissions: [], heartbeat_s: 15 }
const row = (state: string): object => ({
  id: 'ann',
  state,
  reason: null,
  contact: null,
  since: new Date().toISOString(),
  until: null,
  next: null,
  phone: true,
  console: true,
  held: false,
})
const snapshot = (state: string, changes: object = {}, rest: object = {}): object => ({
  type: 'snapshot',
  positions: { live: 1 },
  agents: [{ ...row(state), ...changes }],
  contacts: [],
  entries: [],
  offers: [],
  pops: [],
  ...rest,
})
const RECORD = {
  id: 'k1',
  name: 'Ada Byron',
  company: 'Engines',
  email: '',
  language: 'en',
  notes: 'Prefers mornings',
  external_id: null,
  owner: 'ann',
  numbers: [{ e164: '+390612345678', raw: '06 1234 5678' }],
  version: 1,
}
const OPTIONS = {
  dispositions: { resolved: { en: 'Resolved', zh: '已解决' }, sold: { en: 'Sold' } },
  phones: { '1002': 'Bob' },
  queues: ['billing', 'sales'],
  numbers: ['200'],
  wrap_up_when_asked: ['billing'],
}
const POP = {
  type: 'pop',
  offer: 'o1',
  contact: 'c1',
  queue: 'billing',
  agent: 'ann',
  caller: '+390612345678',
  customer: { id: 'k1', name: '<b>Ada</b> Byron', company: 'Engines', language: '', tags: [] },
  matches: 1,
  ring_until: '2099-01-01T00:00:00Z',
}

describe('the page', () => {
  let app: object
  let server: FakeServer

  const settle = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(60)
    flushSync()
  }
  const find = <T extends Element = HTMLElement>(selector: string): T => {
    const element = document.querySelector<T>(selector)
    if (!element) throw new Error(`nothing matches ${selector}`)
    return element
  }
  const button = (text: string): HTMLButtonElement => {
    const all = [...document.querySelectorAll('button')]
    const found = all.find((one) => (one.querySelector('span') ?? one).textContent?.trim() === text)
    if (!found) throw new Error(`no button says ${text}`)
    return found
  }
  const press = (key: string, on: EventTarget = document.body): void => {
    on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  }
  const wishes = (path: string): unknown[] => server.wishes(path)
  const open = async (): Promise<void> => {
    app = mount(App, { target: document.body })
    await settle()
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
    setLocale('en')
    server = new FakeServer()
    Object.assign(server.answers, {
      'GET /api/session': ok(ANN),
      'POST /api/session': ok(ANN),
      'DELETE /api/session': { status: 204, body: null },
      'POST /api/session/ticket': ok({ ticket: 'x', expires_in_s: 60 }),
      'POST /api/agents/me/state': ok({}),
      'GET /api/desk/options': ok(OPTIONS),
      'POST /api/agents/me/call': { status: 204, body: null },
      'POST /api/agents/me/offer': { status: 204, body: null },
      'POST /api/agents/me/wrap-up': ok({}),
      'GET /api/customers/k1': ok(RECORD),
      'GET /api/customers/k1/timeline?limit=10': ok({ items: [], next: null }),
      'POST /api/contacts/c1/customer': ok({}),
      'POST /api/tickets': { status: 201, body: { id: 't1', number: 12, subject: 'Refund', status: 'open' } },
    })
    vi.stubGlobal('WebSocket', FakeWebSocket)
  })

  afterEach(async () => {
    await unmount(app)
    vi.unstubAllGlobals()
    vi.useRealTimers()
    document.body.replaceChildren()
    location.hash = ''
  })

  it('asks a stranger to sign in and tells a wrong password', async () => {
    server.answers['GET /api/session'] = { status: 401, body: { code: 'not_authenticated' } }
    server.answers['POST /api/session'] = { status: 401, body: { code: 'not_authenticated' } }
    await open()
    const login = find<HTMLInputElement>('input[name=login]')
    const password = find<HTMLInputElement>('input[name=password]')
    login.value = 'ann'
    password.value = 'wrong'
    for (const field of [login, password]) field.dispatchEvent(new Event('input', { bubbles: true }))
    find('form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
    await settle()
    const body = { login: 'ann', password: 'wrong', take_over: false }
    expect(server.asked.at(-1)).toEqual({ method: 'POST', path: '/api/session', body })
    expect(find('[role=alert]').textContent).toContain(en['error.not_authenticated'])
    expect(password.value).toBe('')
  })

  it('shows a pop at once, announces it, and leaves the focus where it was', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('available'))
    await settle()
    const focused = button(en['state.go_not_ready'])
    focused.focus()
    FakeWebSocket.last?.says(POP)
    flushSync()
    expect(find('h3').textContent).toBe('<b>Ada</b> Byron')
    const alert = find('[aria-live=assertive]').textContent
    expect(alert).toBe('Incoming call: <b>Ada</b> Byron, queue billing, number +390612345678')
    expect(document.activeElement).toBe(focused)
  })

  it('asks for the state of the pressed button, with the reason of a pause', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('logged_out'))
    await settle()
    button(en['state.go_available']).click()
    await settle()
    button(en['state.go_not_ready']).click()
    await settle()
    expect(server.asked.slice(-2).map((one) => one.body)).toEqual([
      { state: 'available', reason: null },
      { state: 'not_ready', reason: 'break' },
    ])
  })

  it('keeps the focus on a button while its wish is under way', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('not_ready'))
    await settle()
    const pressed = button(en['state.go_available'])
    pressed.focus()
    pressed.click()
    pressed.click()
    flushSync()
    expect(pressed.getAttribute('aria-disabled')).toBe('true')
    expect(pressed.disabled).toBe(false)
    await settle()
    expect(document.activeElement).toBe(pressed)
    expect(server.asked.filter((one) => one.path === '/api/agents/me/state')).toHaveLength(1)
  })

  it('tells a refused state', async () => {
    server.answers['POST /api/agents/me/state'] = { status: 409, body: { code: 'conflict', data: {} } }
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('on_contact'))
    await settle()
    button(en['state.then_available']).click()
    await settle()
    expect(document.body.textContent).toContain(en['error.conflict'])
  })

  it('goes back to signing in when the session ends elsewhere', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('available'))
    FakeWebSocket.last?.onclose?.({ code: 4403 })
    await settle()
    expect(find('input[name=login]')).toBeTruthy()
  })

  it('offers accept and decline, one key each, where the console delivers', async () => {
    await open()
    const offer = { id: 'o1', contact: 'c1', entry: 'e1', queue: 'billing', agent: 'ann', ring_until: null }
    const offers = [{ ...offer, delivery: 'console' }]
    FakeWebSocket.last?.says(WELCOME, snapshot('reserved', { contact: 'c1' }, { offers, pops: [POP] }))
    await settle()
    press('y')
    await settle()
    expect(find('.stage').textContent).toContain(en['pop.ringing'])
    press('d')
    await settle()
    expect(wishes('/api/agents/me/offer')).toEqual([
      { offer: 'o1', accept: true },
      { offer: 'o1', accept: false },
    ])
  })

  it('holds, resumes and hangs up by key while on a call, and not while somebody types', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('on_contact', { contact: 'c1' }, { pops: [POP] }))
    await settle()
    press('h')
    await settle()
    FakeWebSocket.last?.says({
      type: 'event',
      event: { stream: 'live', seq: 2, id: 'e2', v: 1, type: 'calls.bridge.held', at: '', subject: 'c1', data: {} },
    })
    await settle()
    expect(find('.stage').textContent).toContain(en['pop.held'])
    press('h', find('select'))
    press('h')
    await settle()
    press('e')
    await settle()
    expect(wishes('/api/agents/me/call')).toEqual([{ action: 'hold' }, { action: 'resume' }, { action: 'hang_up' }])
  })

  it('transfers to a queue of the site', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('on_contact', { contact: 'c1' }, { pops: [POP] }))
    await settle()
    press('t')
    await settle()
    const radio = find<HTMLInputElement>('dialog input[value=queue]')
    radio.click()
    flushSync()
    const select = find<HTMLSelectElement>('dialog select')
    expect([...select.options].map((one) => one.value)).toEqual(['', 'billing', 'sales'])
    select.value = 'sales'
    select.dispatchEvent(new Event('change', { bubbles: true }))
    find('dialog form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
    await settle()
    expect(wishes('/api/agents/me/call')).toEqual([{ action: 'transfer', kind: 'queue', target: 'sales' }])
  })

  it('takes a disposition, more time and the end of the wrap-up by key', async () => {
    await open()
    const until = new Date(Date.now() + 20_000).toISOString()
    FakeWebSocket.last?.says(WELCOME, snapshot('wrap_up', { contact: 'c1', until }, { pops: [POP] }))
    await settle()
    for (const key of ['2', 'x', 'w']) {
      press(key)
      await settle()
    }
    expect(wishes('/api/agents/me/wrap-up')).toEqual([{ disposition: 'sold' }, { extend_s: 30 }, { finish: true }])
  })

  it('has the disposition that was pressed last', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('wrap_up', { contact: 'c1' }, { pops: [POP] }))
    await settle()
    for (const key of ['1', '2', 'w']) press(key)
    await settle()
    expect(wishes('/api/agents/me/wrap-up')).toEqual([{ disposition: 'resolved' }, { disposition: 'sold' }, { finish: true }])
  })

  it('asks in the call for a wrap-up that there is only then, and has no more time for one without an end', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('on_contact', { contact: 'c1' }, { pops: [POP] }))
    await settle()
    press('x')
    await settle()
    press('x')
    await settle()
    expect(find('[aria-labelledby=after] [role=status]').textContent).toBe(en['wrap.asked'])
    FakeWebSocket.last?.says(snapshot('wrap_up', { contact: 'c1' }, { pops: [POP] }))
    await settle()
    press('x')
    press('w')
    await settle()
    expect(wishes('/api/agents/me/wrap-up')).toEqual([{ ask: true }, { finish: true }])
  })

  it('has no button for a wrap-up that comes by itself', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('on_contact', { contact: 'c1' }, { pops: [{ ...POP, queue: 'sales' }] }))
    await settle()
    press('x')
    await settle()
    expect(wishes('/api/agents/me/wrap-up')).toEqual([])
  })

  it('shows the record of the customer who calls, before the call is answered', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('reserved', { contact: 'c1' }), POP)
    await settle()
    expect(find('[aria-labelledby=customer]').textContent).toContain('Prefers mornings')
    expect(find('[aria-labelledby=customer]').textContent).toContain('06 1234 5678')
    expect(find('[aria-labelledby=customer]').textContent).toMatch(/Account owner\s*ann/)
  })

  it('lets the agent say which of several customers it is, the likeliest first', async () => {
    await open()
    const maybe = (id: string, confidence: number): object => ({ id, name: id, company: '', confidence, reason: 'exact_number' })
    const several = { ...POP, customer: null, matches: 2, candidates: [maybe('k1', 66), maybe('k2', 33)] }
    FakeWebSocket.last?.says(WELCOME, snapshot('reserved', { contact: 'c1' }), several)
    await settle()
    const choices = [...document.querySelectorAll<HTMLButtonElement>('.candidates button')]
    expect(choices.map((one) => one.querySelector('strong')?.textContent)).toEqual(['k1', 'k2'])
    choices[0]?.click()
    await settle()
    expect(wishes('/api/contacts/c1/customer')).toEqual([{ customer: 'k1' }])
    FakeWebSocket.last?.says({ type: 'pop_updated', offer: 'o1', customer: POP.customer, matches: 1 })
    await settle()
    expect(document.querySelector('.candidates')).toBeNull()
    expect(find('[aria-labelledby=customer]').textContent).toContain('Prefers mornings')
  })

  it('makes a customer once, also when he could not be chosen at first', async () => {
    const none = { ...POP, customer: null, matches: 0 }
    server.answers['GET /api/customers?limit=6&q=Zoe'] = ok({ customers: [], next: null })
    server.answers['POST /api/customers'] = { status: 201, body: { ...RECORD, id: 'k9' } }
    server.answers['POST /api/contacts/c1/customer'] = { status: 503, body: { code: 'site_unavailable' } }
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('on_contact', { contact: 'c1' }, { pops: [none] }))
    await settle()
    const words = find<HTMLInputElement>('[aria-labelledby=customer] input')
    words.value = 'Zoe'
    words.dispatchEvent(new Event('input', { bubbles: true }))
    find('[aria-labelledby=customer] form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
    await settle()
    for (const _ of [1, 2]) {
      button('New customer: Zoe').click()
      await settle()
    }
    expect(wishes('/api/customers')).toHaveLength(1)
    expect(wishes('/api/contacts/c1/customer')).toEqual([{ customer: 'k9' }, { customer: 'k9' }])
  })

  it('opens a ticket by one key, linked to call and customer, and keeps it when the wrap-up runs out', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('wrap_up', { contact: 'c1' }, { pops: [POP] }))
    await settle()
    press('k')
    await settle()
    const subject = find<HTMLInputElement>('form input')
    expect(document.activeElement).toBe(subject)
    subject.value = 'Refund'
    subject.dispatchEvent(new Event('input', { bubbles: true }))
    FakeWebSocket.last?.says(snapshot('available'))
    await settle()
    find('form').dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
    await settle()
    expect(wishes('/api/tickets')).toMatchObject([
      { subject: 'Refund', contact: 'c1', customer: 'k1', queue: 'billing', assignee: 'ann', priority: 'normal' },
    ])
    expect(find('.opened').textContent).toContain('12')
  })

  it('has no keys once they are switched off', async () => {
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('not_ready'))
    await settle()
    find<HTMLInputElement>('.keys input').click()
    flushSync()
    press('a')
    await settle()
    expect(wishes('/api/agents/me/state')).toEqual([])
    expect(document.querySelector('kbd')).toBeNull()
    find<HTMLInputElement>('.keys input').click()
  })

  const become = async (who: object, hash: string): Promise<void> => {
    server.answers['GET /api/session'] = ok(who)
    location.hash = hash
    await open()
    for (let round = 0; round < 20; round += 1) await settle()
  }
  const SUE = { ...ANN, login: 'sue', name: 'Sue', role: 'supervisor', agent: null }
  const AGENTS = { agents: [{ id: 'ann', name: 'Ann Archer', skills: {} }] }
  const QUEUES = { queues: [{ id: 'billing' }] }
  const NOW = {
    name: 'billing',
    waiting: 1,
    longest_wait_ms: 1000,
    agents: { available: 1 },
    threshold_s: 20,
    target: 0.8,
    variant: 'sl_queue',
    longest_wait_alarm_s: 60,
    waiting_alarm: 5,
    today: { offered: 5, abandoned: 1, asa_ms: 9000, sl_queue: 0.75, sl_answered: 0.9 },
  }
  const VALUES = { at: '', since: '', queues: [NOW], skills: [], agents: [] }
  const QUARTER = { start: '2026-03-02T09:00:00Z', local: '2026-03-02T10:00+01:00', offered: 3, asa_ms: 9000, sl_queue: 0.5 }

  it('shows a supervisor who waits and who works, and changes the state of an agent', async () => {
    server.answers['GET /api/agents'] = ok(AGENTS)
    server.answers['GET /api/metrics/live'] = ok(VALUES)
    server.answers['GET /api/metrics/intervals?kind=queue&format=json&name=billing'] = ok({ intervals: [QUARTER] })
    server.answers['POST /api/agents/ann/state'] = ok({})
    await become({ ...SUE, permissions: ['live.read', 'agents.control'] }, '#live')
    const ago = (ms: number): string => new Date(Date.now() - ms).toISOString()
    const waits = { id: 'e1', contact: 'c1', queue: 'billing', since: ago(65_000), callback: false }
    // Asked for long ago: no wait.
    const entries = [waits, { ...waits, id: 'e2', contact: 'c2', since: ago(200_000_000), callback: true }]
    FakeWebSocket.last?.says(WELCOME, snapshot('available', {}, { entries }))
    await settle()
    const queues = find('[aria-labelledby=queues] tbody')
    expect(queues.textContent).toMatch(/billing.*1.*callbacks: 1.*1:0.*1 of 1.*5.*1.*0:09.*75 %.*sl_queue, 20\ss.*80 %/s)
    const figures = [...find('dl').children].map((each) => each.textContent.trim().replace(/\s+/g, ' '))
    expect(figures.slice(1, 4)).toEqual(['Waiting 1', expect.stringMatching(/^Longest wait 1:0\d$/), 'To be called back 1'])
    expect(find('[role=status] ul').textContent).toMatch(/billing.*60 s.*billing: sl_queue is 75 %, below 80 %/s)
    expect(find('section[aria-labelledby=intervals] tbody').textContent).toMatch(/10:00.*3.*0:09.*50 %/s)
    const variant = find<HTMLSelectElement>('[aria-labelledby=queues] .head select')
    variant.value = 'sl_answered'
    variant.dispatchEvent(new Event('change', { bubbles: true }))
    await settle()
    expect(queues.textContent).toMatch(/90 %.*sl_answered, 20\ss/s)
    expect(find('[aria-labelledby=agents] tbody').textContent).toContain('Ann Archer')
    const select = find<HTMLSelectElement>('[aria-labelledby=agents] select')
    select.value = 'not_ready'
    select.dispatchEvent(new Event('change', { bubbles: true }))
    await settle()
    expect(wishes('/api/agents/ann/state')).toEqual([{ state: 'not_ready', reason: 'supervisor' }])
  })

  it('lists events of both streams, which count for themselves', async () => {
    server.answers['GET /api/agents'] = ok(AGENTS)
    server.answers['GET /api/metrics/live'] = ok({ ...VALUES, queues: [] })
    await become({ ...SUE, permissions: ['live.read'] }, '#live')
    const event = { seq: 7, v: 1, at: new Date().toISOString(), subject: 't1', data: {} }
    const site = { ...event, stream: 'site', id: 'e1', type: 'tickets.escalation.fired' }
    const live = { ...event, stream: 'live', id: 'e2', type: 'calls.contact.received' }
    FakeWebSocket.last?.says(WELCOME, snapshot('available'), { type: 'event', event: site }, { type: 'event', event: live })
    await settle()
    expect(document.querySelectorAll('[aria-labelledby=events] tbody tr')).toHaveLength(2)
  })

  it('lists calls and shows the way of one, without a player for who may not listen', async () => {
    const summary = { contact: 'c9', started_at: '2026-03-02T09:00:00Z', queue: 'billing', agent: 'ann', wait_ms: 900 }
    const call = { ...summary, talk_ms: 5000, result: 'answered', reason: 'hangup', caller: '+431', sip_status: null }
    const path = [{ node: 'welcome', kind: 'play', at: '2026-03-02T09:00:01Z', branch: 'next', digits: null }]
    const recordings = [{ file: 'a.wav', ms: 5000, truncated: false }]
    server.answers['GET /api/agents'] = ok(AGENTS)
    server.answers['GET /api/queues'] = ok(QUEUES)
    server.answers['GET /api/names'] = ok({ zone: 'UTC', users: {}, agents: { ann: 'Ann Archer' }, dispositions: {} })
    server.answers['GET /api/calls?limit=25'] = ok({ calls: [call], next: null })
    const offers = [{ offer: 'o1', agent: 'ann', at: null, outcome: 'accepted', reason: null }]
    const rest = { legs: [], queues: [], offers, instants: [], collected: {} }
    server.answers['GET /api/calls/c9'] = ok({ ...call, path, recordings, ...rest })
    await become({ ...SUE, permissions: ['calls.read'] }, '#calls')
    FakeWebSocket.last?.says(WELCOME)
    await settle()
    expect(find('tbody').textContent).toContain('Ann Archer')
    find<HTMLButtonElement>('tbody button').click()
    await settle()
    expect(find('.detail').textContent).toContain('welcome')
    expect(find('.detail').textContent).toContain('Offer to Ann Archer')
    expect(find('.detail').textContent).toContain(en['calls.may_not_listen'])
    expect(document.querySelector('audio')).toBeNull()
  })

  it('speaks Chinese', async () => {
    setLocale('zh')
    await open()
    FakeWebSocket.last?.says(WELCOME, snapshot('available'))
    await settle()
    expect(find('#state').textContent).toBe(zh['state.title'])
    expect(document.documentElement.lang).toBe('zh-CN')
  })
})

describe('the texts', () => {
  it('call midnight 00:00', () => {
    const midnight = new Date(2026, 2, 2, 0, 0, 5).toISOString()
    for (const locale of ['en', 'zh']) {
      expect(timeOfDay(midnight, locale)).toBe('00:00:05')
      expect(dayAndTime(midnight, locale)).toMatch(/ 00:00$/)
    }
  })

  it('call a withheld number so, in the words of the reader', () => {
    setLocale('zh')
    expect(shownNumber('anonymous')).toBe(zh['pop.withheld'])
    setLocale('en')
    expect(shownNumber('anonymous')).toBe(en['pop.withheld'])
    expect(shownNumber('+390612345678')).toBe('+390612345678')
  })

  it('are there in both languages, with the same places in it', () => {
    const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()
    for (const [key, text] of Object.entries(en)) {
      expect(places(zh[key as keyof typeof en]), key).toEqual(places(text))
    }
  })
})
