import type { CallFrame } from './profile.ts'

/** Whose code a function is, for the legend: what is not JavaScript, Node, or a package. */
export const ownerOf = ({ functionName, url }: CallFrame): string => {
  if (url === '') return functionName === '(garbage collector)' ? 'garbage collector' : 'native code'
  if (url.startsWith('node:')) return 'Node'
  const [, ours, file] = /\/packages\/([\w-]+)\/(?:dist|src)\/(.*)/.exec(url) ?? []
  // Whatever takes time in there takes it in the kernel, or on the way to it.
  if (ours === 'syscall' && file?.startsWith('libc.')) return 'system calls'
  if (ours !== undefined) return ours
  const [, theirs] = /.*\/node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//.exec(url) ?? []
  return theirs ?? 'the script'
}

/** Where a function is, without what differs from machine to machine: `net/dial.js:30`. */
export const placeOf = ({ url, lineNumber }: CallFrame): string => {
  if (url === '') return ''
  const [, path = url.slice(url.lastIndexOf('/') + 1)] =
    /^(node:.*)/.exec(url) ??
    /\/packages\/([\w-]+\/(?:dist|src)\/.*)/.exec(url) ??
    /.*\/node_modules\/(.*)/.exec(url) ??
    []
  return `${path.replace(/\/(?:dist|src)\//, '/')}:${lineNumber + 1}`
}
