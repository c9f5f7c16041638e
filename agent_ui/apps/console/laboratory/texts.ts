/** What the laboratory's page says. */

import { ownTexts, type OwnTexts } from '../../../i18n/own.svelte'

const en = {
  title: 'Try other rules or other staffing',
  intro: 'A day that has been, or a scenario, runs again in the background with the same callers; real calls are not touched.',
  kind: 'What',
  day: 'A day of an imported log',
  scenario: 'A scenario',
  which: 'Which',
  day_option: '{day} ({calls} calls)',
  nothing: 'Nothing has been imported and there is no scenario with groups: callcenter calls import.',
  change: 'Change {number}',
  name: 'Name',
  rule: 'Who is offered the caller',
  'rule.longest_idle': 'who is idle the longest',
  'rule.fewest_contacts': 'who had the fewest contacts',
  'rule.round_robin': 'in turn',
  'rule.quickest': 'who was quickest on other days',
  head_start_s: 'Head start of priority 2 (s)',
  more: 'Agents more or fewer',
  group: 'In the group',
  add: 'Add a change',
  remove: 'Remove change {number}',
  replications: 'Replications',
  start: 'Run',
  stop: 'Stop',
  running: '{done} of {wanted} replications',
  'state.running': 'running',
  'state.done': 'done',
  'state.failed': 'failed',
  'state.cancelled': 'stopped',
  earlier: 'Experiments since the server started',
  none: 'None so far.',
  as_it_is: 'As it is',
  result: 'Result: {subject}',
  interval: 'Bars are means, thin lines their 95 % intervals.',
  table: 'The same in figures, with the difference to how it is',
  metric: 'Figure',
  difference: 'Difference: {name}',
  types: 'Service level by call type',
  type: 'Call type',
  sure: '* surely not chance alone',
  assumed: 'What is assumed',
  mean_wait_s: 'Mean wait (s)',
  asa_s: 'Mean wait of the served (s)',
  sl_abandons_negative: 'Service level (sl_abandons_negative)',
  p_abandon: 'Callers who leave',
  occupancy: 'Occupancy',
}

const zh: Record<keyof typeof en, string> = {
  title: '试验其他规则或排班',
  intro: '以相同的来电者在后台重新运行过去的一天或一个场景；不影响真实通话。',
  kind: '对象',
  day: '导入日志中的一天',
  scenario: '场景',
  which: '选择',
  day_option: '{day}（{calls} 通来电）',
  nothing: '尚未导入日志，也没有含分组的场景：callcenter calls import。',
  change: '更改 {number}',
  name: '名称',
  rule: '来电分配给',
  'rule.longest_idle': '空闲最久的坐席',
  'rule.fewest_contacts': '接听最少的坐席',
  'rule.round_robin': '轮流',
  'rule.quickest': '其他日子里最快的坐席',
  head_start_s: '优先级 2 的提前量（秒）',
  more: '增减坐席',
  group: '所在分组',
  add: '添加更改',
  remove: '删除更改 {number}',
  replications: '重复次数',
  start: '运行',
  stop: '停止',
  running: '第 {done} 次，共 {wanted} 次',
  'state.running': '运行中',
  'state.done': '完成',
  'state.failed': '失败',
  'state.cancelled': '已停止',
  earlier: '服务器启动以来的试验',
  none: '暂无。',
  as_it_is: '现状',
  result: '结果：{subject}',
  interval: '条形为均值，细线为 95% 区间。',
  table: '同样内容的数据表，含与现状的差异',
  metric: '指标',
  difference: '差异：{name}',
  types: '按来电类型的服务水平',
  type: '来电类型',
  sure: '* 不只是偶然',
  assumed: '所作假设',
  mean_wait_s: '平均等待（秒）',
  asa_s: '已接听来电的平均等待（秒）',
  sl_abandons_negative: '服务水平（sl_abandons_negative）',
  p_abandon: '放弃的来电者',
  occupancy: '占用率',
}

export type Text = keyof typeof en
export const TEXTS: OwnTexts<Text> = { en, zh }
export const x = ownTexts(TEXTS)

export const METRICS = ['mean_wait_s', 'asa_s', 'sl_abandons_negative', 'p_abandon', 'occupancy'] as const

/** A figure as people read it: seconds with a decimal, shares in percent. */
export function figure(metric: string, value: number | null, signed = false): string {
  if (value === null) return '–'
  const sign = signed && value > 0 ? '+' : ''
  return metric.endsWith('_s') ? `${sign}${value.toFixed(1)}` : `${sign}${(100 * value).toFixed(1)} %`
}
