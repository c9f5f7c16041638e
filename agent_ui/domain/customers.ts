/** A customer's fields as a form has them: what was changed, and what becomes of it when somebody else was faster. */

import type { CustomerRecord } from '../net/customers'

export const FIELDS = ['name', 'company', 'numbers', 'email', 'language', 'external_id', 'owner', 'notes'] as const
export type Field = (typeof FIELDS)[number]
/** As they stand in the form; numbers one a line. */
export type Fields = Record<Field, string>
/** What to ask of the server: the changed fields alone. */
export type Changes = Partial<Record<Exclude<Field, 'numbers'>, string | null>> & { numbers?: readonly string[] }

export const isField = (name: unknown): name is Field => FIELDS.some((one) => one === name)

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean)

const plain = (name: Field, text: string): string => (name === 'numbers' ? lines(text).join('\n') : text.trim())

export const fieldsOf = (record: CustomerRecord): Fields => ({
  name: record.name,
  company: record.company,
  numbers: record.numbers.map((number) => number.raw).join('\n'),
  email: record.email,
  language: record.language,
  external_id: record.external_id ?? '',
  owner: record.owner,
  notes: record.notes,
})

/** The fields that are others than in `before`; spaces around them do not count. */
export function changesOf(before: Fields, fields: Fields): Changes {
  const changes: Changes = {}
  for (const name of FIELDS) {
    if (plain(name, fields[name]) === plain(name, before[name])) continue
    if (name === 'numbers') changes.numbers = lines(fields.numbers)
    else if (name === 'external_id') changes.external_id = fields.external_id.trim() || null
    else changes[name] = fields[name].trim()
  }
  return changes
}

/** `fields`, written over `before`, on top of what is there `now`: what was not touched follows the others' changes. */
export function rebased(before: Fields, fields: Fields, now: Fields): Fields {
  const touched = changesOf(before, fields)
  return Object.fromEntries(FIELDS.map((name) => [name, name in touched ? fields[name] : now[name]])) as Fields
}
