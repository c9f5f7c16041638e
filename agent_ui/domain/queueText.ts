/**
 * The plain keys of a queue in queues.yaml, read and changed in the text itself: comments, order and all other keys stay
 * as they were written. Knows queues that are written one key a line (`- name: billing`); what is right is for the server.
 */

export const KEYS = ['ring_s', 'wrap_up', 'wrap_up_s', 'max_wait_s'] as const
export type Key = (typeof KEYS)[number]

interface Block {
  readonly name: string
  /** The first line and the one after the last, and what each of its lines but the first begins with. */
  readonly first: number
  readonly end: number
  readonly indent: string
}

const ITEM = /^( *)-( +)\w+ *:/

function keyOf(line: string, key: string): RegExpExecArray | null {
  return new RegExp(`^( *(?:- +)?${key} *: *)([^#]*?)( +#.*)?$`).exec(line)
}

function blocksOf(lines: readonly string[]): readonly Block[] {
  const top = lines.findIndex((line) => /^queues *: *(#.*)?$/.test(line))
  if (top < 0) return []
  const stop = lines.findIndex((line, index) => index > top && /^[^\s#-]/.test(line))
  const end = stop < 0 ? lines.length : stop
  const items = lines.flatMap((line, index) => (index > top && index < end && ITEM.test(line) ? [index] : []))
  const depth = (index: number): number => lines[index]!.indexOf('-')
  const firsts = items.filter((index) => depth(index) === depth(items[0]!))
  return firsts.flatMap((first, place) => {
    const [, outer, gap] = ITEM.exec(lines[first]!)!
    const block = { first, end: firsts[place + 1] ?? end, indent: `${outer} ${gap}` }
    const name = read(lines, block, 'name')
    return name === '' ? [] : [{ ...block, name }]
  })
}

/** The line of `key` among the queue's own, not of what is nested in it. */
function lineOf(lines: readonly string[], block: Omit<Block, 'name'>, key: string): number {
  for (let index = block.first; index < block.end; index++) {
    const line = lines[index]!
    const isOwn = index === block.first || (line.startsWith(block.indent) && line[block.indent.length] !== ' ')
    if (isOwn && keyOf(line, key)) return index
  }
  return -1
}

function read(lines: readonly string[], block: Omit<Block, 'name'>, key: string): string {
  const line = lineOf(lines, block, key)
  return line < 0 ? '' : keyOf(lines[line]!, key)![2]!.trim().replace(/^(['"])(.*)\1$/, '$2')
}

/** Each name once, also while the text has a queue twice. */
export const queuesIn = (text: string): readonly string[] => [...new Set(blocksOf(text.split('\n')).map((block) => block.name))]

/** What is written of `key`, empty where the queue leaves it out. */
export function valueIn(text: string, queue: string, key: Key): string {
  const lines = text.split('\n')
  const block = blocksOf(lines).find((one) => one.name === queue)
  return block ? read(lines, block, key) : ''
}

/** `text` with another value of `key`; an empty one leaves the key out. */
export function withValue(text: string, queue: string, key: Key, value: string): string {
  const lines = text.split('\n')
  const block = blocksOf(lines).find((one) => one.name === queue)
  if (!block) return text
  const at = lineOf(lines, block, key)
  const written = value.trim()
  if (at >= 0 && written !== '') {
    const [, head, , comment = ''] = keyOf(lines[at]!, key)!
    lines[at] = `${head!.trimEnd()} ${written}${comment}`
  } else if (at > block.first) lines.splice(at, 1)
  else if (at < 0 && written !== '') lines.splice(lineOf(lines, block, 'name') + 1, 0, `${block.indent}${key}: ${written}`)
  return lines.join('\n')
}
