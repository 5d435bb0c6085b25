import { afterEach, expect, it, vi } from 'vitest'

const { platform, arch } = process

const pretend = (what: { platform?: string; arch?: string }): void => {
  for (const [name, value] of Object.entries(what)) Object.defineProperty(process, name, { value })
  vi.resetModules()
}

afterEach(() => pretend({ platform, arch }))

it.each([
  [{ platform: 'darwin' }, 'there are no Linux system calls on darwin'],
  [{ platform: 'win32' }, 'there are no Linux system calls on win32'],
  [{ arch: 's390x' }, 'system calls are not known for the processor s390x']
])('cannot be imported where it would not work: %j', async (what, message) => {
  pretend(what)
  await expect(import('@it-socks/syscall')).rejects.toMatchObject({
    name: 'UnsupportedError',
    code: 'ERR_SOCKS_UNSUPPORTED',
    message
  })
})
