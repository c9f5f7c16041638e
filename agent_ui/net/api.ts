/** The HTTP API as this page uses it. The session is a cookie that scripts cannot read. */

export interface Who {
  readonly user: string
  readonly login: string
  readonly name: string
  readonly role: string
  readonly agent: string | null
  readonly permissions: readonly string[]
}

export type AgentWish = 'available' | 'not_ready' | 'logged_out'

/** A refusal with the server's stable `code`; `offline` when there was no answer at all. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly data: Readonly<Record<string, unknown>> = {},
  ) {
    super(code)
  }

  /** The code, with the field that it is about where there is one: `invalid_input.target`. */
  get named(): string {
    const field = this.data['field']
    return typeof field === 'string' ? `${this.code}.${field}` : this.code
  }
}

/** A part of a list; `next` is where it goes on, null at its end. */
export interface Page<Row, Mark = string> {
  readonly rows: readonly Row[]
  readonly next: Mark | null
}

/** One request; raises ApiError. Modules beside this one name the addresses. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, credentials: 'same-origin' }
  if (body instanceof Blob) {
    init.body = body
    init.headers = { 'Content-Type': body.type }
  } else if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  let answer: Response
  try {
    answer = await fetch(path, init)
  } catch {
    throw new ApiError('offline', 0)
  }
  if (answer.status === 204) return undefined as T
  const value: unknown = await answer.json().catch(() => null)
  if (answer.ok) return value as T
  const problem = (value ?? {}) as { code?: string; data?: Record<string, unknown> }
  throw new ApiError(problem.code ?? 'internal', answer.status, problem.data ?? {})
}

/** `takeOver` ends the user's other sessions. */
export const signIn = (login: string, password: string, takeOver: boolean): Promise<Who> =>
  call('POST', '/api/session', { login, password, take_over: takeOver })

export const signOut = (): Promise<void> => call('DELETE', '/api/session')

/** The session's user, null when nobody is signed in. */
export async function whoAmI(): Promise<Who | null> {
  try {
    return await call<Who>('GET', '/api/session')
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null
    throw error
  }
}

export async function fetchTicket(): Promise<string> {
  const { ticket } = await call<{ ticket: string }>('POST', '/api/session/ticket')
  return ticket
}
