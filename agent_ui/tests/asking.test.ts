import { describe, expect, it } from 'vitest'
import { ApiError, type Page } from '../net/api'
import { Doing } from '../ui/doing.svelte'
import { Paged } from '../ui/paged.svelte'

/** A question that is answered when the test says so. */
function open<T>(): { question: () => Promise<T>; answer: (value: T) => void; refuse: (code: string) => void } {
  let answer!: (value: T) => void
  let refuse!: (code: string) => void
  const promise = new Promise<T>((resolve, reject) => {
    answer = resolve
    refuse = (code) => reject(new ApiError(code, 400))
  })
  return { question: () => promise, answer, refuse }
}

describe('what is done', () => {
  it('is done once at a time', async () => {
    const doing = new Doing()
    const first = open<null>()
    const done = doing.run(first.question)
    expect(await doing.run(() => Promise.reject(new Error('started')))).toBe(false)
    expect(doing.busy).toBe(true)
    first.answer(null)
    expect(await done).toBe(true)
    expect([doing.busy, doing.problem]).toEqual([false, ''])
  })
})

describe('what is asked', () => {
  it('is answered by the answer to the latest question, whichever comes first', async () => {
    const doing = new Doing()
    const [first, second] = [open<string>(), open<string>()]
    const taken: string[] = []
    const both = [first, second].map(({ question }) => doing.ask(question, (answer) => taken.push(answer)))
    second.answer('new')
    await both[1]
    expect(doing.busy).toBe(false)
    first.refuse('conflict')
    await both[0]
    expect(taken).toEqual(['new'])
    expect(doing.problem).toBe('')
  })

  it('keeps telling what was wrong until it is right', async () => {
    const doing = new Doing()
    await doing.ask(() => Promise.reject(new ApiError('offline', 0)))
    const again = open<null>()
    const asked = doing.ask(again.question)
    expect(doing.problem).toBe('offline')
    again.answer(null)
    await asked
    expect(doing.problem).toBe('')
  })

  it('counts no more once it was dropped', async () => {
    const doing = new Doing()
    const late = open<string>()
    const taken: string[] = []
    const asked = doing.ask(late.question, (answer) => taken.push(answer))
    doing.drop()
    late.answer('late')
    expect(await asked).toBe(false)
    expect([taken, doing.busy]).toEqual([[], false])
  })
})

describe('a list', () => {
  const page = (rows: string[], next: number | null): Page<string, number> => ({ rows, next })
  const listed = (): Paged<string, number> => new Paged<string, number>((row) => row)

  it('goes on where it ended, and has no row twice', async () => {
    const list = listed()
    await list.begin(async (after) => (after === null ? page(['a', 'b'], 2) : page(['b', 'c'], null)))
    expect(list.next).toBe(2)
    await list.more()
    await list.more()
    expect([list.rows, list.next]).toEqual([['a', 'b', 'c'], null])
  })

  it('drops more of what is asked for no longer', async () => {
    const list = listed()
    const rest = open<Page<string, number>>()
    await list.begin((after) => (after === null ? Promise.resolve(page(['a'], 1)) : rest.question()))
    const more = list.more()
    await list.begin(async () => page(['x'], null))
    rest.answer(page(['b'], null))
    await more
    expect(list.rows).toEqual(['x'])
  })
})
