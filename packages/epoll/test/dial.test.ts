import { expect, it } from 'vitest'
import { failureOf } from '../../../test/support/duplex.ts'
import { describeEpoll, epoll } from './setup.ts'

/** What the system says to a link-local address that it cannot reach, with IPv6 and without. */
const noWay = /^E(?:INVAL|NETUNREACH|ADDRNOTAVAIL|AFNOSUPPORT)$/

// Node's own sockets do, in later releases: they take the first that has link-local addresses.
describeEpoll('dial by system calls', () => {
  it.each(['fe80::1', 'fe80::1%nowhere'])('does not choose an interface for %s', async (host) => {
    const error = await failureOf(epoll.dial()({ host, port: 9 }))
    expect(error).toMatchObject({ name: 'RefusedError', cause: { syscall: 'connect', address: host, port: 9 } })
    expect((error as { cause: { code: string } }).cause.code).toMatch(noWay)
  })
})
