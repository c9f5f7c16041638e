/** What is wrong with a customer's fields, in a form or in a row of a file, and what the form itself says. */

import { isKey, ownTexts, type OwnTexts } from '../../../i18n/own.svelte'

const en = {
  title: 'Edit the customer',
  numbers: 'Numbers, one a line',
  'language.hint': 'As a tag: en, zh-CN',
  notes: 'Notes',
  'owner.nobody': 'nobody',
  'owner.gone': '{id} (is no agent any more)',
  save: 'Save',
  changed: 'Somebody else has changed this customer. Your changes are kept here: check them and save once more.',
  'field.name': 'The name',
  'field.company': 'The company',
  'field.numbers': 'The numbers',
  'field.email': 'The e-mail address',
  'field.language': 'The language',
  'field.external_id': 'The external id',
  'field.owner': 'The account owner',
  'field.notes': 'The notes',
  'flaw.no_name': 'A name is needed.',
  'flaw.no_text': '{field} cannot be read as text.',
  'flaw.too_long': '{field}: at most {limit} characters.',
  'flaw.no_at': 'There is no @ in the e-mail address.',
  'flaw.no_language': 'The language is not a tag such as en or zh-CN.',
  'flaw.no_number': '“{value}” is not a telephone number.',
  'flaw.no_agent': '“{value}” is not an agent’s id.',
  'flaw.too_many_numbers': 'At most {limit} numbers.',
  'flaw.field_count': 'The row has {count} fields, the first line {columns}.',
  'flaw.duplicate': 'The same customer as in line {line}.',
  'flaw.no_csv': 'The row is not written as CSV: look at its quotation marks.',
  'flaw.taken': 'Another customer has this external id.',
  'flaw.other': '{field}: the server did not accept this.',
}

const zh: Readonly<Record<keyof typeof en, string>> = {
  title: '编辑客户',
  numbers: '号码（每行一个）',
  'language.hint': '语言代码，如 en、zh-CN',
  notes: '备注',
  'owner.nobody': '无',
  'owner.gone': '{id}（已不是坐席）',
  save: '保存',
  changed: '他人已修改此客户。您的修改仍在此处：请检查后再次保存。',
  'field.name': '姓名',
  'field.company': '公司',
  'field.numbers': '号码',
  'field.email': '电子邮箱',
  'field.language': '语言',
  'field.external_id': '外部编号',
  'field.owner': '负责坐席',
  'field.notes': '备注',
  'flaw.no_name': '必须填写姓名。',
  'flaw.no_text': '{field}无法作为文本读取。',
  'flaw.too_long': '{field}最多 {limit} 个字符。',
  'flaw.no_at': '电子邮箱地址缺少 @。',
  'flaw.no_language': '语言不是 en 或 zh-CN 这样的代码。',
  'flaw.no_number': '“{value}”不是电话号码。',
  'flaw.no_agent': '“{value}”不是坐席编号。',
  'flaw.too_many_numbers': '最多 {limit} 个号码。',
  'flaw.field_count': '本行有 {count} 个字段，首行有 {columns} 个。',
  'flaw.duplicate': '与第 {line} 行是同一客户。',
  'flaw.no_csv': '本行不符合 CSV 格式：请检查引号。',
  'flaw.taken': '另一位客户已使用此外部编号。',
  'flaw.other': '{field}：服务器未接受。',
}

export const CUSTOMER_TEXTS: OwnTexts<keyof typeof en> = { en, zh }
export const c = ownTexts(CUSTOMER_TEXTS)

/** The sentence for a code of the server, `fallback` for one that this page does not know. */
export function flawText(code: string, data: Readonly<Record<string, unknown>>, fallback: string): string {
  const key = `flaw.${code}`
  if (!isKey(CUSTOMER_TEXTS, key)) return fallback
  const named = `field.${String(data['field'])}`
  const values = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, String(value)]))
  return c(key, { ...values, field: isKey(CUSTOMER_TEXTS, named) ? c(named) : String(data['field'] ?? '') })
}
