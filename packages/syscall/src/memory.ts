import { koffi } from './koffi.ts'

/** Memory that the kernel reads and writes: it does not move, so its address can be kept and reckoned with. */
export interface Memory {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Where it is. Offsets may be added to it. */
  readonly address: number
}

/**
 * Allocates so many bytes of zeros. They live as long as the object: where the kernel, or other memory, has only the address,
 * it has to be kept by what is used as long as that. A `const` of a module that no function uses is none such.
 */
export const allocate = (length: number): Memory => {
  // An array of its own: what V8 puts on its heap moves, and it puts small typed arrays there.
  const buffer = new ArrayBuffer(Math.max(length, 64))
  return {
    bytes: new Uint8Array(buffer, 0, length),
    view: new DataView(buffer, 0, length),
    address: addressOf(new Uint8Array(buffer))
  }
}

/** Where the bytes of a typed array are. It has to be kept alive, and larger than 64 bytes, for as long as that counts. */
export const addressOf = (bytes: Uint8Array): number => Number(koffi.address(bytes))
