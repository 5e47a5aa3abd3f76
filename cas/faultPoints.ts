/** Points between two steps of publishing and deleting. Tests stop a process at each of them; in normal use no
 *  `FaultPoints` is passed and nothing is called. */
export const faultPointNames = [
  'commit:begin',
  'commit:midFlush',
  'commit:afterFlush',
  'commit:midPlace',
  'commit:afterPlace',
  'commit:afterFolders',
  'records:beforeCreate',
  'records:midAppend',
  'records:afterAppend',
  'records:afterFlush',
  'commit:afterRecords',
  'commit:end',
  'seal:before',
  'seal:after',
  'compact:afterWrite',
  'gc:begin',
  'gc:afterRecords',
  'gc:beforeMove',
  'gc:midTrash',
  'gc:afterTrash',
  'gc:midEmpty',
  'gc:afterEmpty',
  'undo:midway',
] as const

export type FaultPointName = (typeof faultPointNames)[number]

export interface FaultPoints {
  hit(point: FaultPointName): void
}

/** Reads `point@count:kill` or `point@count:throw`: at the count-th hit of the point the process kills itself with
 *  SIGKILL, or the step throws an error with the given errno (`throw=ENOSPC`). */
export function parseFaultPoints(text: string): FaultPoints {
  const match = /^([a-zA-Z:]+)@([0-9]+):(kill|throw)(?:=([A-Z]+))?$/.exec(text)
  const name = match?.[1]
  if (!match || !faultPointNames.some((known) => known === name)) throw new Error(`no such fault point: ${text}`)
  let hitsLeft = Number(match[2])
  return {
    hit(point) {
      if (point !== name || --hitsLeft !== 0) return
      if (match[3] === 'kill') {
        process.kill(process.pid, 'SIGKILL')
        // The signal arrives when the kernel next looks; nothing more may happen until then.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      }
      throw Object.assign(new Error(`fault point ${point}`), { code: match[4] ?? 'EIO' })
    },
  }
}
