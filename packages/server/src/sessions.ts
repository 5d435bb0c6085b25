import { LinkedList, type Linked } from '@it-socks/stage'
import type { Session } from './session.ts'

/** Sessions in the order in which they were opened. To go through them is to see those that are open now. */
export interface Sessions extends Iterable<Session> {
  readonly size: number
}

/** A session's place among the others. */
export interface Place extends Linked<Place> {
  readonly session: Session
}

/** The sessions of a server that are open. */
export class OpenSessions implements Sessions {
  readonly #places = new LinkedList<Place>()

  get size(): number {
    return this.#places.size
  }

  add(session: Session): Place {
    const place: Place = { session, before: undefined, behind: undefined }
    this.#places.add(place)
    return place
  }

  remove(place: Place): void {
    this.#places.remove(place)
  }

  *[Symbol.iterator](): Generator<Session, void> {
    for (const { session } of this.#places) yield session
  }
}
