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
  priority_of: 'Priority of place {place} in {queue}',
  change: 'Change',
  move_of: 'Move place {place} of {queue} to another queue',
  move: 'Move to …',
  cancel: 'Take out',
  cancel_of: 'Take place {place} out of {queue}',
  sure: 'Really?',
}

const zh: Readonly<Record<keyof typeof en, string>> = {
  title: '排队来电',
  none: '无人排队。',
  queue: '队列',
  place: '位置',
  rings: '振铃中',
  callback: '回电',
  waited: '已等待',
  expected: '预计还需',
  minutes: '约 {minutes} 分钟',
  priority: '优先级',
  priority_of: '{queue} 第 {place} 位的优先级',
  change: '操作',
  move_of: '将 {queue} 第 {place} 位移至其他队列',
  move: '移至…',
  cancel: '移出',
  cancel_of: '将第 {place} 位移出 {queue}',
  sure: '确定？',
}

export const WAITING_TEXTS: OwnTexts<keyof typeof en> = { en, zh }
export const w = ownTexts(WAITING_TEXTS)
