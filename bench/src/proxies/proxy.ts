/** A proxy that can be measured. */
export interface Proxy {
  readonly name: string
  /** What it is, for the report. */
  readonly about: string
  /** Which command starts it, listening at the port given, or at one of its choice that it tells by IPC. */
  readonly command: (port: number, folder: string) => readonly string[]
  /** Tells its port itself, by IPC. */
  readonly tells: boolean
  readonly udp: boolean
  /** Is measured only when it is asked for. */
  readonly onRequest?: boolean
  /** Why it cannot run here, where it cannot. */
  readonly missing: string | undefined
}
