import { describe, expect, it } from 'vitest'
import { AuthenticationError, ClosedError, IdleError, RefusedError, RuleError } from '@it-socks/protocol'
import { outcomeOf } from '../src/serve/outcome.ts'

describe('outcomeOf', () => {
  it('is ok where a session just ended', () => {
    expect(outcomeOf(undefined, false)).toEqual({ outcome: 'ok' })
  })

  it('names the error, and the reply that the client was given', () => {
    expect(outcomeOf(new RefusedError('not-allowed'), true)).toEqual({
      outcome: 'RefusedError',
      reply: 'not-allowed',
      code: 'ERR_SOCKS_NOT_ALLOWED',
      reason: 'connection not allowed by ruleset'
    })
  })

  it('names the rule that refused', () => {
    expect(outcomeOf(new RuleError('deny to private', 'CONNECT 10.0.0.1:80'), true)).toEqual({
      outcome: 'RuleError',
      reply: 'not-allowed',
      rule: 'deny to private',
      code: 'ERR_SOCKS_RULE',
      reason: 'CONNECT 10.0.0.1:80 is not allowed: deny to private'
    })
  })

  it.each([
    ['before there are replies', new AuthenticationError(), false],
    ['after the reply', new IdleError(1000), false],
    ['where the server closes', new ClosedError(), true]
  ])('has no reply %s', (_when, cause, replied) => {
    const outcome = outcomeOf(cause, replied)
    expect(outcome.outcome).toBe(cause.name)
    expect(outcome).not.toHaveProperty('reply')
  })

  it('says why credentials could not be verified', () => {
    const cause = new AuthenticationError('the credentials of "alice" could not be verified', {
      cause: new Error('too many are waiting already: 100')
    })
    expect(outcomeOf(cause, false)).toMatchObject({
      outcome: 'AuthenticationError',
      reason: 'the credentials of "alice" could not be verified: too many are waiting already: 100'
    })
  })

  it('names an error of the system by its code', () => {
    const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
    expect(outcomeOf(cause, true)).toEqual({ outcome: 'ECONNRESET', code: 'ECONNRESET', reason: 'read ECONNRESET' })
  })
})
