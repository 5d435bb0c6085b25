import { describe, expect, it } from 'vitest'
import { judge, ownAddresses } from '@it-socks/rules'
import { attempt } from './attempt.ts'

const rules = [ownAddresses(({ host, port }) => host === '192.0.2.1' && port === 1080)]
const judged = (circumstances: Parameters<typeof attempt>[0]) => judge(rules, attempt(circumstances))

describe('ownAddresses', () => {
  it.each([null, '127.0.0.1', '198.51.100.1'])('denies the proxy itself to a client at %s', (from) => {
    expect(judged({ from, to: '192.0.2.1', port: 1080 })).toEqual({ verdict: 'deny', rule: 'the proxy itself' })
  })

  it('waits for the address of a name', () => {
    expect(judged({ to: 'proxy.example', port: 1080 }).verdict).toBeUndefined()
    expect(judged({ to: 'proxy.example', port: 1080, ip: '192.0.2.1' }).verdict).toBe('deny')
    expect(judged({ to: 'proxy.example', port: 1080, ip: '192.0.2.2' }).verdict).toBe('allow')
  })

  it.each(['::ffff:192.0.2.1', '64:ff9b::192.0.2.1', '2002:c000:201::1', '::192.0.2.1'])('knows itself as %s', (ip) => {
    expect(judged({ to: 'proxy.example', port: 1080, ip }).verdict).toBe('deny')
  })

  it('lets others at its address and its port elsewhere be reached', () => {
    expect(judged({ to: '192.0.2.1', port: 80 }).verdict).toBe('allow')
    expect(judged({ to: '192.0.2.2', port: 1080 }).verdict).toBe('allow')
  })

  it.each(['bind', 'udpAssociate', 'resolve', 'resolvePtr'] as const)('is not about %s', (command) => {
    expect(judged({ command, to: '192.0.2.1', port: 1080 }).verdict).toBe('allow')
    expect(judged({ command }).verdict).toBe('allow')
  })
})
