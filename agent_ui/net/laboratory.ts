/** Experiments: a day or a scenario under other rules or with other staff, run by the server in the background. */

import { call } from './api'

export type Kind = 'day' | 'scenario'
export const RULES = ['longest_idle', 'fewest_contacts', 'round_robin', 'quickest'] as const
export type Rule = (typeof RULES)[number]

export interface Choices {
  readonly days: readonly { readonly day: string; readonly calls: number }[]
  readonly scenarios: readonly { readonly name: string; readonly groups: readonly string[] }[]
}

export interface Alternative {
  readonly name: string
  readonly rule: Rule
  readonly head_start_s: number
  readonly more: number
  readonly group: string | null
}

export interface Wish {
  readonly kind: Kind
  readonly subject: string
  readonly alternatives: readonly Alternative[]
  readonly replications: number
}

/** A mean with its 95 % interval; null where nothing was counted. */
export interface Estimate {
  readonly mean: number | null
  readonly low: number | null
  readonly high: number | null
}

export type Figures = Readonly<Record<string, Estimate>>

export interface Figured {
  readonly overall: Figures
  readonly by_type: Readonly<Record<string, Figures>>
}

interface Result extends Partial<Figured> {
  readonly assumptions?: readonly string[]
  readonly policies?: readonly (Figured & { readonly difference?: Figured })[]
  readonly differences?: readonly Figured[]
}

export interface Experiment {
  readonly id: string
  readonly kind: Kind
  readonly subject: string
  readonly names: readonly string[]
  readonly at: string
  readonly state: 'running' | 'done' | 'failed' | 'cancelled'
  readonly done: number
  readonly wanted: number
  readonly problem: string
  readonly result: Result | null
}

/** One policy's figures; `difference` is to the first, which has none. */
export interface Column extends Figured {
  readonly name: string
  readonly difference: Figured | null
}

/** The policies of an experiment that is done, how it is first. */
export function columnsOf(experiment: Experiment, asItIs: string): readonly Column[] {
  const result = experiment.result
  if (result === null) return []
  const policies = result.policies ?? []
  if (result.overall && result.by_type) {
    const own: Column = { name: asItIs, overall: result.overall, by_type: result.by_type, difference: null }
    return [own, ...policies.map((one, at) => ({ ...one, name: experiment.names[at] ?? '', difference: one.difference ?? null }))]
  }
  return policies.map((one, at) => ({
    ...one,
    name: at === 0 ? asItIs : (experiment.names[at - 1] ?? ''),
    difference: at === 0 ? null : (result.differences?.[at - 1] ?? null),
  }))
}

/** Whether a difference is surely none of chance: its interval does not hold 0. */
export const isSure = (found: Estimate): boolean =>
  found.low !== null && found.high !== null && (found.low > 0 || found.high < 0)

const PATH = '/api/laboratory'

export const fetchChoices = (): Promise<Choices> => call('GET', PATH)

export const fetchExperiments = async (): Promise<readonly Experiment[]> =>
  (await call<{ experiments: readonly Experiment[] }>('GET', `${PATH}/experiments`)).experiments

export const fetchExperiment = (id: string): Promise<Experiment> =>
  call('GET', `${PATH}/experiments/${encodeURIComponent(id)}`)

export const startExperiment = (wish: Wish): Promise<Experiment> => call('POST', `${PATH}/experiments`, wish)

export const stopExperiment = (id: string): Promise<Experiment> =>
  call('DELETE', `${PATH}/experiments/${encodeURIComponent(id)}`)
