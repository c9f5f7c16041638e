/** The steps of a call's waits, in words. */

import { locale } from '../../../i18n/index.svelte'
import { isKey } from '../../../i18n/own.svelte'
import type { AgentStanding, Needs, WhyStep } from '../../../net/why'
import { agentName } from '../../../ui/names.svelte'
import { duration, timeOfDay } from '../../../ui/time'
import { TEXTS, w } from './texts'

const time = (at: string): string => timeOfDay(at, locale())

/** `billing ≥ 2 and (chinese ≥ 1 or english ≥ 3)`. */
export function needsText(needs: Needs): string {
  const one = ({ skill, level }: { skill: string; level: number }): string =>
    skill.startsWith('@') ? w('team', { team: skill.slice(1) }) : `${skill} ≥ ${level}`
  return needs
    .map((group) => (group.length === 1 ? group.map(one).join('') : `(${group.map(one).join(w('or'))})`))
    .join(w('and'))
}

export function headline(step: WhyStep): string {
  const key = `kind.${step.kind}`
  if (!isKey(TEXTS, key)) return step.kind.replaceAll(/[._]/g, ' ')
  return w(key, {
    queue: step.queue ?? '',
    agent: step.agent ? agentName(step.agent) : '',
    position: step.position ?? '',
    ring: step.ring ?? '',
    outcome: step.outcome ?? '',
    priority: step.priority ?? '',
    reason: step.reason ?? '',
    version: step.version ?? '',
  })
}

export function details(step: WhyStep): string[] {
  if (step.kind === 'entry.queued') {
    const needs = step.needs?.length ? [w('needs', { needs: needsText(step.needs) })] : []
    return [[...needs, w('priority', { priority: step.priority ?? '' }), ...forWhom(step)].join(', ')]
  }
  if (step.kind === 'entry.announced') {
    const place = step.position ? [w('told.position', { position: step.position })] : []
    return [...place, ...(step.wait_s ? [w('told.wait', { wait: duration(step.wait_s * 1000) })] : [])]
  }
  if (step.kind === 'entry.ended' && step.reason) return [step.reason, w('waited', { wait: duration(step.wait_ms ?? 0) })]
  if (step.kind === 'entry.waits') return waitDetails(step)
  if (step.kind === 'offer.created' && step.decision) {
    return [w('decided', { input: step.decision.input, policy: step.decision.policy })]
  }
  return step.wait_ms === undefined ? [] : [w('waited', { wait: duration(step.wait_ms) })]
}

function forWhom({ preferred, instead_of: passed = [] }: WhyStep): string[] {
  if (!preferred) return []
  const names = { agent: agentName(preferred), passed: passed.map(agentName).join(w('and')) }
  return [w(passed.length ? 'prefers.passed' : 'prefers', names)]
}

function waitDetails(step: WhyStep): string[] {
  const key = `wait.${step.reason}`
  const reason = isKey(TEXTS, key) ? w(key, { preferred: step.preferred ? agentName(step.preferred) : '' }) : (step.reason ?? '')
  const counts = Object.entries(step.counts ?? {}).map(([kind, count]) => `${count} ${standingWord(kind)}`)
  const passed = (step.excluded ?? []).map((one) => w('passed', { agent: agentName(one.agent), at: time(one.until) }))
  const widens = step.widens_at ? [w('widens', { at: time(step.widens_at) })] : []
  return [reason, ...(counts.length ? [counts.join(', ')] : []), ...passed, ...widens]
}

function standingWord(reason: string): string {
  const key = `is.${reason}`
  return isKey(TEXTS, key) ? w(key) : reason
}

const RANKED = new Set(['chosen', 'later_in_order', 'excluded', 'unqualified', 'not_preferred'])

export function standing(agent: AgentStanding): string {
  const parts = [standingWord(agent.reason) + (agent.reason === 'not_ready' && agent.detail ? ` (${agent.detail})` : '')]
  if (agent.since && !RANKED.has(agent.reason)) parts.push(w('since', { at: time(agent.since) }))
  if (agent.until) parts.push(w('until', { at: time(agent.until) }))
  if (agent.lacks?.length) parts.push(w('lacks', { needs: needsText(agent.lacks) }))
  if (agent.excluded_until) parts.push(w('until', { at: time(agent.excluded_until) }))
  for (const [what, value] of Object.entries(agent.order ?? {})) {
    const key = `order.${what}`
    if (isKey(TEXTS, key)) parts.push(w(key, { value: typeof value === 'string' ? time(value) : value }))
  }
  return parts.join(', ')
}
