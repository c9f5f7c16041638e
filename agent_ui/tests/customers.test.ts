import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import CustomerRecord from '../apps/console/CustomerRecord.svelte'
// Loaded with the tests, so that opening the form waits for nothing.
import '../apps/console/customers/EditForm.svelte'
import ImportFile from '../apps/console/customers/ImportFile.svelte'
import { c, CUSTOMER_TEXTS, flawText } from '../apps/console/customers/texts'
import { CustomerCard } from '../apps/console/desk/customer.svelte'
import { changesOf, fieldsOf, rebased } from '../domain/customers'
import { en } from '../i18n/en'
import { setLocale } from '../i18n/index.svelte'
import type { CustomerRecord as Customer } from '../net/customers'
import { learnNames } from '../ui/names.svelte'
import { FakeServer, ok } from './server'

const ADA: Customer = {
  id: 'k1',
  name: 'Ada Byron',
  company: 'Engines',
  email: '',
  language: 'en',
  notes: '',
  external_id: 'X1',
  owner: 'ann',
  numbers: [
    { e164: '+390612345678', raw: '06 1234 5678' },
    { e164: '200', raw: '200' },
  ],
  version: 3,
}

describe('what a form asks for', () => {
  const before = fieldsOf(ADA)

  it('is what differs, and nothing where only spaces do', () => {
    expect(changesOf(before, { ...before, name: ' Ada Byron ', numbers: '06 1234 5678\n\n 200 ' })).toEqual({})
    expect(changesOf(before, { ...before, name: 'Ada B. ', numbers: '200', external_id: '' })).toEqual({
      name: 'Ada B.',
      numbers: ['200'],
      external_id: null,
    })
  })

  it('stands on top of what somebody else has changed meanwhile', () => {
    const now = { ...before, name: 'Ada Lovelace', company: 'Machines' }
    expect(rebased(before, { ...before, company: 'Looms', notes: 'x' }, now)).toEqual({ ...now, company: 'Looms', notes: 'x' })
  })
})

describe('the reasons of the server', () => {
  it('are said in the words of the reader', () => {
    setLocale('zh')
    expect(flawText('too_long', { field: 'email', limit: 254 }, 'email is longer')).toBe('电子邮箱最多 254 个字符。')
    setLocale('en')
    expect(flawText('duplicate', { line: 7 }, '')).toBe('The same customer as in line 7.')
    expect(flawText('of_a_newer_server', {}, 'is odd')).toBe('is odd')
  })

  it('have the same places in both languages', () => {
    const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort()
    for (const [key, text] of Object.entries(CUSTOMER_TEXTS.en)) {
      expect(places(CUSTOMER_TEXTS.zh[key as keyof typeof CUSTOMER_TEXTS.en]), key).toEqual(places(text))
    }
  })
})

describe('a record', () => {
  let server: FakeServer
  let page: ReturnType<typeof mount> | null = null

  beforeEach(() => {
    setLocale('en')
    server = new FakeServer()
    const agents = { zed: 'Zed Young', ann: 'Ann Archer' }
    server.answers['GET /api/names'] = ok({ zone: 'UTC', users: {}, agents, dispositions: {} })
    server.answers['GET /api/customers/k1'] = ok(ADA)
    server.answers['GET /api/customers/k1/timeline?limit=10'] = ok({ items: [], next: null })
  })
  afterEach(async () => {
    if (page) await unmount(page)
    page = null
    document.body.innerHTML = ''
    vi.unstubAllGlobals()
  })

  const until = async (happened: () => unknown): Promise<void> => {
    await vi.waitFor(() => {
      flushSync()
      if (!happened()) throw new Error('not yet')
    })
  }
  const button = (name: string): HTMLButtonElement | undefined =>
    [...document.querySelectorAll('button')].find((one) => (one.querySelector('span') ?? one).textContent?.trim() === name)
  const field = (name: string): HTMLInputElement => document.querySelector<HTMLInputElement>(`[name=${name}]`)!
  const write = (name: string, text: string): void => {
    field(name).value = text
    field(name).dispatchEvent(new Event('input', { bubbles: true }))
  }
  const save = (): boolean =>
    document.querySelector('form')!.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }))
  const open = async (permissions: readonly string[]): Promise<CustomerCard> => {
    const card = new CustomerCard()
    await card.show('k1')
    const desk = { may: (permission: string) => permissions.includes(permission) } as never
    const props = {
      desk,
      card,
      get record() {
        return card.record!
      },
    }
    page = mount(CustomerRecord, { target: document.body, props })
    flushSync()
    return card
  }
  const edit = async (): Promise<CustomerCard> => {
    const card = await open(['customers.write'])
    button(en['customer.edit'])!.click()
    await until(() => document.activeElement === field('name'))
    return card
  }

  it('is for reading only, for who may not write', async () => {
    await open([])
    expect(button(en['customer.edit'])).toBeUndefined()
  })

  it('names its owner as the site calls the agent, and has the form choose among the agents by name', async () => {
    await learnNames()
    await open(['customers.write'])
    expect(document.querySelector('dl')?.textContent).toContain(`${en['customer.owner']}Ann Archer`)
    button(en['customer.edit'])!.click()
    await until(() => document.querySelector('[name=owner]'))
    const owner = document.querySelector<HTMLSelectElement>('[name=owner]')!
    expect([...owner.options].map((one) => one.text)).toEqual([c('owner.nobody'), 'Ann Archer', 'Zed Young'])
    expect(owner.value).toBe('ann')
    owner.value = 'zed'
    owner.dispatchEvent(new Event('change', { bubbles: true }))
    server.answers['PATCH /api/customers/k1'] = ok({ ...ADA, owner: 'zed', version: 4 })
    save()
    await until(() => document.querySelector('dl')?.textContent.includes('Zed Young'))
    expect(server.asked.at(-1)?.body).toEqual({ version: 3, owner: 'zed' })
  })

  it('keeps an owner who has left the site until another one is chosen, and says so', async () => {
    await learnNames()
    server.answers['GET /api/customers/k1'] = ok({ ...ADA, owner: 'bob' })
    await edit()
    const owner = document.querySelector<HTMLSelectElement>('[name=owner]')!
    expect([owner.value, owner.selectedOptions[0]?.text]).toEqual(['bob', c('owner.gone', { id: 'bob' })])
    write('company', 'Looms')
    const data = { field: 'owner', reason: 'no_agent', value: 'bob' }
    server.answers['PATCH /api/customers/k1'] = { status: 422, body: { code: 'invalid_input', message: '', data } }
    save()
    await until(() => document.activeElement === owner)
    expect(server.asked.at(-1)?.body).toEqual({ version: 3, company: 'Looms' })
    expect(document.getElementById('flaw-owner')?.textContent?.trim()).toBe('“bob” is not an agent’s id.')
  })

  it('is changed where it was changed, against the version that was read', async () => {
    const card = await edit()
    write('company', 'Looms')
    write('numbers', '06 1234 5678\n+43 1 23456')
    server.answers['PATCH /api/customers/k1'] = ok({ ...ADA, company: 'Looms', version: 4 })
    save()
    await until(() => document.querySelector('form') === null)
    expect(server.asked.at(-1)?.body).toEqual({ version: 3, company: 'Looms', numbers: ['06 1234 5678', '+43 1 23456'] })
    expect(card.record?.company).toBe('Looms')
    await until(() => document.activeElement === button(en['customer.edit']))
    expect(document.querySelector('[role=status]')?.textContent).toBe(en['ticket.saved'])
  })

  it('says what is wrong at the field that the server names, and puts the hands there', async () => {
    await edit()
    write('numbers', 'not a number')
    const data = { field: 'numbers', reason: 'no_number', value: 'not a number' }
    server.answers['PATCH /api/customers/k1'] = { status: 422, body: { code: 'invalid_input', message: '', data } }
    save()
    await until(() => document.activeElement === field('numbers'))
    expect(field('numbers').getAttribute('aria-invalid')).toBe('true')
    const told = document.getElementById(field('numbers').getAttribute('aria-describedby')!)
    expect(told?.textContent?.trim()).toBe('“not a number” is not a telephone number.')
    write('numbers', '')
    write('external_id', 'X2')
    const taken = { code: 'conflict', message: '', data: { field: 'external_id' } }
    server.answers['PATCH /api/customers/k1'] = { status: 409, body: taken }
    save()
    await until(() => document.activeElement === field('external_id'))
    expect(document.body.textContent).toContain(c('flaw.taken'))
    expect(field('numbers').getAttribute('aria-invalid')).toBe('false')
  })

  it('keeps what was written when somebody else was faster', async () => {
    await edit()
    write('company', 'Looms')
    server.answers['GET /api/customers/k1'] = ok({ ...ADA, name: 'Ada Lovelace', company: 'Machines', version: 9 })
    server.answers['PATCH /api/customers/k1'] = { status: 409, body: { code: 'conflict', message: '', data: { version: 9 } } }
    save()
    await until(() => document.body.textContent?.includes(c('changed')))
    expect([field('name').value, field('company').value]).toEqual(['Ada Lovelace', 'Looms'])
    server.answers['PATCH /api/customers/k1'] = ok({ ...ADA, version: 10 })
    save()
    await until(() => document.querySelector('form') === null)
    expect(server.asked.at(-1)?.body).toEqual({ version: 9, company: 'Looms' })
  })

  it('is left as it was by Escape', async () => {
    await edit()
    write('company', 'Looms')
    const escape = (isComposing: boolean): boolean =>
      field('company').dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, isComposing }))
    escape(true)
    flushSync()
    expect(field('company').value).toBe('Looms')
    escape(false)
    await until(() => document.querySelector('form') === null)
    expect(server.asked.every((one) => one.method === 'GET')).toBe(true)
    await until(() => document.activeElement === button(en['customer.edit']))
  })

  it('in a file that cannot be kept says why in the language of the page', async () => {
    setLocale('zh')
    const bad = { line: 2, code: 'no_at', reason: 'email has no @', data: { field: 'email' }, fields: ['Ann', 'x'], duplicate_of: null }
    const counts = { rows: 1, created: 0, updated: 0, not_taken: 1, duplicates: 0 }
    server.answers['POST /api/customers/import?preview=true'] = ok({ preview: true, ...counts, bad: [bad], first: [] })
    page = mount(ImportFile, { target: document.body })
    const input = document.querySelector<HTMLInputElement>('input[type=file]')!
    Object.defineProperty(input, 'files', { value: [new File(['name,email\nAnn,x\n'], 'a.csv')] })
    input.dispatchEvent(new Event('change', { bubbles: true }))
    save()
    await until(() => document.querySelector('tbody td:nth-child(2)')?.textContent === CUSTOMER_TEXTS.zh['flaw.no_at'])
  })
})
