/** What the live page says of those who wait, one by one. */

import { ownTexts, type OwnTexts } from '../../../i18n/own.svelte'

const en = {
  title: 'Who waits',
  none: 'Nobody waits.',
  queue: 'Queue',
  place: 'Place',
  rings: 'rings',
  callback: 'callback',
  waited: 'Waited',
  expected: 'Still to wait',
  minutes: 'about {minutes} min',
  priority: 'Priority',
  priority_of: 'Priority in {queue}: {place}',
  change: 'Change',
  move_of: 'Move to another queue from {queue}: {place}',
  move: 'Move to …',
  cancel: 'Take out',
  cancel_of: 'Take out of {queue}: {place}',
  sure: 'Really?',
}

const zh: Readonly<Record<keyof typeof en, string>> = {
  title: '排队来电',
  none: '无人排队。',
  queue: '队列',
  place: '位置',
  rings: '振铃中',
  callback: '回呼',
  waited: '已等待',
  expected: '预计还需',
  minutes: '约 {minutes} 分钟',
  priority: '优先级',
  priority_of: '{queue} 中的优先级：{place}',
  change: '操作',
  move_of: '从 {queue} 移至其他队列：{place}',
  move: '移至…',
  cancel: '移出',
  cancel_of: '移出 {queue}：{place}',
  sure: '确定？',
}

export const WAITING_TEXTS: OwnTexts<keyof typeof en> = { en, zh }
export const w = ownTexts(WAITING_TEXTS)
