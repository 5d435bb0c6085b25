import { ClosedError } from '@it-socks/protocol'
import { isSpeaking, type Replacements, type Speaking, type StageBody } from './body.ts'
import type { Cancellation } from './cancellation.ts'
import type { Bytes } from './duplex.ts'
import { extend } from './extend.ts'
import { cancelledBy, handoffOf, release, specimen, type Handoff } from './handoff.ts'
import { Row } from './row.ts'
import type { Say } from './say.ts'
import { keepSpecimens } from './specimens.ts'
import type { Turn, Turns } from './turn.ts'

/** What becomes of a pipeline: one of these, once. */
export interface Ending {
  handedOver(handoff: Handoff<unknown>): void
  /** The peer has been refused. */
  failed(error: unknown): void
}

/** Takes turns on a handoff, and says what they have to say. */
export const takeTurns = (turns: readonly Turn[], handoff: Handoff<unknown>, say: Say, ending: Ending): void => {
  new Run(turns, handoff, say, ending).start()
}

type Body = Extract<Turn, { readonly body: unknown }>
/** What a body comes to: what it adds, or who goes on. */
type Come = Replacements & Partial<Turns>

/**
 * A pipeline at work. It goes on at once as far as nobody has to wait, and one body after the other is waited for: so it has a few
 * callbacks for all of them, and listens once to what cancels it. Each connection has one of these, and promises are what it
 * would cost.
 */
class Run {
  readonly #say: Say
  readonly #ending: Ending
  /** Who has not had a turn yet. */
  #row: Row | undefined
  #handoff: Handoff<unknown>
  #cancellation: Cancellation
  /** Whose body is waited for. */
  #waiting: Body | undefined = undefined
  #speaking: Speaking<Partial<Turns>> | undefined = undefined
  /** How many bodies have begun, or been over: only the one that is at work is heard. */
  #heard = 0
  #isOver = false

  constructor(turns: readonly Turn[], handoff: Handoff<unknown>, say: Say, ending: Ending) {
    this.#say = say
    this.#ending = ending
    this.#cancellation = cancelledBy(handoff)
    // A copy of a handoff has no signal of its own.
    this.#handoff = 'signal' in handoff ? handoff : handoffOf(handoff, this.#cancellation)
    this.#row = new Row(turns, undefined, undefined)
  }

  start(): void {
    this.#listen()
    this.#goOn()
  }

  #goOn(): void {
    for (let row = this.#row; row !== undefined; row = this.#row) {
      const turn = row.next()
      if (turn === undefined) this.#leave(row)
      else if (!this.#take(turn)) return
    }
    this.#finish()
    this.#ending.handedOver(this.#handoff)
  }

  /** @returns whether the next one may have its turn at once; if not, it has it later, or the pipeline has failed */
  #take(turn: Turn): boolean {
    if (turn.kind === 'look') return this.#show(turn.look)
    if (turn.kind !== 'within') return this.#begin(turn)
    this.#cancellation.forget(this.#aborted)
    const limit = turn.limit(this.#cancellation)
    this.#row = new Row(turn.turns, this.#row, limit)
    this.#obey(limit.cancellation)
    return true
  }

  #leave({ outer, limit }: Row): void {
    this.#row = outer
    if (limit === undefined) return
    this.#cancellation.forget(this.#aborted)
    limit.stop()
    this.#obey(limit.outer)
  }

  #show(look: (context: never) => void): boolean {
    try {
      look(this.#handoff.context as never)
    } catch (error) {
      return this.#fail(error)
    }
    return !this.#cancellation.aborted || this.#fail(this.#cancellation.reason)
  }

  #obey(cancellation: Cancellation): void {
    this.#cancellation = cancellation
    this.#handoff = handoffOf(this.#handoff, cancellation)
    this.#listen()
  }

  #listen(): void {
    if (!this.#cancellation.aborted) this.#cancellation.listen(this.#aborted)
  }

  #begin(turn: Body): boolean {
    let begun: Promise<Come> | Speaking<Partial<Turns>>
    try {
      const body = turn.body as StageBody<never, Partial<Turns>>
      const come = body(this.#handoff as Handoff<never>, this.#sayWhileHeard())
      if (!(come instanceof Promise) && !isSpeaking(come)) return this.#endAtOnce(turn, come)
      begun = come
    } catch (error) {
      return this.#fail(error)
    }
    this.#waiting = turn
    if (begun instanceof Promise) begun.then(this.#came, this.#failed)
    else this.#listenTo((this.#speaking = begun))
    if (this.#cancellation.aborted) this.#aborted()
    return false
  }

  /** Says bytes, sealed, as long as this body is the one that is at work: later the peer has been told something else. */
  #sayWhileHeard(): Say {
    const own = ++this.#heard
    return (bytes) => (own === this.#heard ? this.#say(this.#handoff.seal(bytes)) : undefined)
  }

  #endAtOnce(turn: Body, come: Come): boolean {
    const { aborted, reason } = this.#cancellation
    if (!aborted) return this.#end(turn, come)
    release(come.refuse, reason)
    return this.#fail(reason)
  }

  #end(turn: Body, come: Come): boolean {
    this.#heard += 1
    this.#waiting = this.#speaking = undefined
    if (turn.kind === 'choose') {
      this.#row = new Row((come as Turns).turns, this.#row, undefined)
      return true
    }
    const { seal } = this.#handoff
    this.#handoff = extend(this.#handoff, come, this.#cancellation)
    const room = come.answer === undefined ? undefined : this.#say(seal(come.answer))
    if (room === undefined) return true
    // It is still its turn: where nobody takes the answer in time, what it has opened is to be closed.
    this.#waiting = turn
    room.then(() => this.#answered(), this.#failed)
    return false
  }

  #answered(): void {
    if (this.#isOver) return
    this.#waiting = undefined
    this.#goOn()
  }

  readonly #came = (come: Come): void => {
    if (this.#isOver) return release(come?.refuse, new ClosedError())
    if (this.#endWaiting(come)) this.#goOn()
  }

  #endWaiting(come: Come): boolean {
    try {
      return this.#end(this.#waiting!, come)
    } catch (error) {
      return this.#fail(error)
    }
  }

  #listenTo(body: Speaking<Partial<Turns>>): void {
    body.next().then((step) => this.#spoke(step, body), this.#failed)
  }

  #spoke({ done, value }: IteratorResult<Bytes, Replacements>, body: Speaking<Partial<Turns>>): void {
    if (done === true) return this.#came(value)
    if (this.#isOver) return
    try {
      const room = this.#say(this.#handoff.seal(value))
      if (room === undefined) this.#listenTo(body)
      else room.then(() => this.#listenTo(body), this.#failed)
    } catch (error) {
      this.#fail(error)
    }
  }

  readonly #aborted = (): void => {
    if (this.#waiting !== undefined) this.#fail(this.#cancellation.reason)
  }

  readonly #failed = (error: unknown): void => {
    this.#fail(error)
  }

  /** Tells the peer no, where there is something to say and somebody to say it to, and fails: by `error`, whatever else does. */
  #fail(error: unknown): false {
    if (this.#isOver) return false
    this.#finish()
    this.#speaking?.return(undefined as never).catch(() => {})
    const fail = (): void => this.#ending.failed(error)
    const room = this.#refuse(error)
    if (room === undefined) fail()
    else room.then(fail, fail)
    return false
  }

  #refuse(error: unknown): Promise<void> | undefined {
    try {
      const refusal = this.#handoff.refuse(error)
      return refusal === undefined ? undefined : this.#say(this.#handoff.seal(refusal))
    } catch {
      // There is nobody to hear it.
      return undefined
    }
  }

  #finish(): void {
    this.#isOver = true
    this.#heard += 1
    this.#cancellation.forget(this.#aborted)
    for (let row = this.#row; row !== undefined; row = row.outer) row.limit?.stop()
  }
}

keepSpecimens(new Run([], specimen, () => undefined, { handedOver() {}, failed() {} }))
