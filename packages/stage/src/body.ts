import { ClosedError } from '@it-socks/protocol'
import type { Cancellation } from './cancellation.ts'
import type { Say } from './course.ts'
import type { Bytes } from './duplex.ts'
import { cancelledBy, handoffOf, type Handoff } from './handoff.ts'

/** What a stage may replace for all stages after it, beside adding to the context. */
export interface Replacements extends Partial<Pick<Handoff<unknown>, 'frames' | 'seal' | 'refuse'>> {
  /**
   * Said last, sealed as all that the body says, when what it returned is in force: where it cannot be said, the `refuse`
   * of the same return is told. For who hands over something that is open: a tunnel, with the reply that says so.
   */
  readonly answer?: Bytes
}

/** A body that speaks: it yields bytes for the peer and returns what it adds to the context. */
export type Speaking<Adds> = AsyncGenerator<Bytes, Adds & Replacements, void>

/**
 * What an author writes: an async generator that reads from `frames`, yields bytes for the peer and returns what it
 * adds to the context. Where it has nothing to clean up an async function may do as well, which says bytes by `say` and waits
 * for what that returns; where it need not wait, a function. The names `frames`, `seal`, `refuse` and `answer` are not added
 * but replace those of the handoff. It says no by throwing.
 */
export type StageBody<Needs, Adds> = (
  handoff: Handoff<Needs>,
  say: Say
) => Speaking<Adds> | Promise<Adds & Replacements> | (Adds & Replacements)

/** Whether a body is one that speaks: whoever calls one from another has to `yield*` that. */
export const isSpeaking = <Adds>(body: ReturnType<StageBody<never, Adds>>): body is Speaking<Adds> =>
  Symbol.asyncIterator in (body as object)

/** Runs a body on a handoff: says what it says, and comes to what it extends the handoff to. */
export const runBody = <Context extends Needs, Needs, Adds>(
  body: StageBody<Needs, Adds>,
  handoff: Handoff<Context>,
  say: Say
): Handoff<Context & Adds> | Promise<Handoff<Context & Adds>> => {
  // A copy of a handoff has no signal of its own.
  if (!('signal' in handoff)) return runBody(body, handoffOf(handoff, cancelledBy(handoff)), say)
  const hearing = { isOver: false }
  try {
    const started = body(handoff, whileHeard(hearing, handoff, say))
    if (!(started instanceof Promise) && !isSpeaking(started)) {
      const { aborted, reason } = cancelledBy(handoff)
      if (aborted) {
        started.refuse?.(reason)
        throw reason
      }
      if (started.answer === undefined) return extend(handoff, started)
    }
    return new Promise((resolve) => {
      new Running<Context, Adds>(handoff, say, hearing, resolve).start(started)
    })
  } catch (error) {
    return fail(handoff, error, say)
  }
}

/** Whether somebody still waits for a body. */
interface Hearing {
  isOver: boolean
}

/** Says bytes, sealed, as long as somebody waits for the body: later the peer has been told something else. */
const whileHeard =
  (hearing: Hearing, { seal }: Handoff<unknown>, say: Say): Say =>
  (bytes) =>
    hearing.isOver ? undefined : say(seal(bytes))

/** Tells the peer no, where there is something to say and somebody to say it to, and fails: by `error`, whatever else does. */
const fail = async (handoff: Handoff<unknown>, error: unknown, say: Say): Promise<never> => {
  const refusal = handoff.refuse(error)
  if (refusal === undefined) throw error
  try {
    await say(handoff.seal(refusal))
  } catch {
    // There is nobody to hear it.
  }
  throw error
}

type Step<Adds> = IteratorResult<Bytes, Adds & Replacements>

/** A body at work. Callbacks, not an async function: each connection has several, and promises are what they cost. */
class Running<Context, Adds> {
  readonly #handoff: Handoff<Context>
  readonly #say: Say
  readonly #resolve: (handoff: Handoff<Context & Adds> | Promise<Handoff<Context & Adds>>) => void
  readonly #cancellation: Cancellation
  readonly #aborted = (): void => this.#fail(this.#cancellation.reason)
  readonly #hearing: Hearing
  #speaking: Speaking<Adds> | undefined = undefined

  constructor(
    handoff: Handoff<Context>,
    say: Say,
    hearing: Hearing,
    resolve: (handoff: Handoff<Context & Adds> | Promise<Handoff<Context & Adds>>) => void
  ) {
    this.#handoff = handoff
    this.#say = say
    this.#hearing = hearing
    this.#resolve = resolve
    this.#cancellation = cancelledBy(handoff)
  }

  start(body: ReturnType<StageBody<never, Adds>>): void {
    if (isSpeaking(body)) {
      this.#speaking = body
      this.#next()
    } else if (body instanceof Promise) {
      body.then(
        (added: Adds & Replacements) => this.#end(added),
        (error: unknown) => this.#fail(error)
      )
    } else this.#end(body)
    if (this.#cancellation.aborted) this.#aborted()
    else if (!this.#hearing.isOver) this.#cancellation.listen(this.#aborted)
  }

  #next(): void {
    this.#speaking!.next().then(
      (step) => this.#take(step),
      (error: unknown) => this.#fail(error)
    )
  }

  #take({ done, value }: Step<Adds>): void {
    if (done === true) return this.#end(value)
    if (this.#hearing.isOver) return
    let room: Promise<void> | undefined
    try {
      room = this.#say(this.#handoff.seal(value))
    } catch (error) {
      return this.#fail(error)
    }
    if (room === undefined) this.#next()
    else {
      room.then(
        () => this.#next(),
        (error: unknown) => this.#fail(error)
      )
    }
  }

  #end(added: Adds & Replacements): void {
    if (this.#hearing.isOver) return this.#leave(added)
    this.#finish()
    const handedOver = extend(this.#handoff, added)
    const { answer } = added
    try {
      const room = answer === undefined ? undefined : this.#say(this.#handoff.seal(answer))
      this.#resolve(room === undefined ? handedOver : onceHeard(room, handedOver, this.#say))
    } catch (error) {
      this.#resolve(fail(handedOver, error, this.#say))
    }
  }

  #fail(error: unknown): void {
    if (this.#hearing.isOver) return
    this.#finish()
    this.#speaking?.return(undefined as never).catch(() => {})
    this.#resolve(fail(this.#handoff, error, this.#say))
  }

  /** Nobody waits for it any more: what it has opened is to be closed. */
  #leave(added: Replacements | undefined): void {
    added?.refuse?.(new ClosedError())
  }

  #finish(): void {
    this.#hearing.isOver = true
    this.#cancellation.forget(this.#aborted)
  }
}

/** Hands over when the answer has been taken; where it cannot be, whoever returned it closes what it has opened. */
const onceHeard = async <Context>(
  room: Promise<void>,
  handedOver: Handoff<Context>,
  say: Say
): Promise<Handoff<Context>> => {
  try {
    await room
    return handedOver
  } catch (error) {
    return fail(handedOver, error, say)
  }
}

const extend = <Context, Adds>(handoff: Handoff<Context>, added: Adds & Replacements): Handoff<Context & Adds> => {
  const { frames, seal, refuse, answer } = added
  if (frames === undefined && seal === undefined && refuse === undefined && answer === undefined) {
    return isEmpty(added) ? (handoff as Handoff<Context & Adds>) : withContext(handoff, added)
  }
  const context: Record<string, unknown> = Object.assign({}, handoff.context)
  for (const name of Object.keys(added)) if (!replacements.has(name)) context[name] = added[name as keyof Adds]
  return handoffOf(
    {
      frames: frames ?? handoff.frames,
      seal: seal ?? handoff.seal,
      refuse: refuse ?? handoff.refuse,
      context: context as Context & Adds
    },
    cancelledBy(handoff)
  )
}

const isEmpty = (added: object): boolean => {
  for (const _ in added) return false
  return true
}

// No spread: that takes a microsecond and a half on Node 20, seven times as long.
const withContext = <Context, Adds>(handoff: Handoff<Context>, added: Adds): Handoff<Context & Adds> =>
  handoffOf(
    {
      frames: handoff.frames,
      seal: handoff.seal,
      refuse: handoff.refuse,
      context: Object.assign({}, handoff.context, added)
    },
    cancelledBy(handoff)
  )

const replacements: ReadonlySet<string> = new Set<keyof Replacements>(['frames', 'seal', 'refuse', 'answer'])
