import { openSync, readSync } from 'node:fs'

const realNow = performance.now.bind(performance)
const { resourceUsage } = process
// Since Node 23.9; before, Linux has the same in a file of its own for every thread.
const threadUsage = (process as { threadCpuUsage?: () => NodeJS.CpuUsage }).threadCpuUsage
const processUsage = process.cpuUsage

/** What a job used. Its makings are taken before the wires replace them. */
export interface JobClock {
  read(): { readonly wallMs: number; readonly cpuMs: number; readonly peakRssMb: number }
}

/** Asking the system for it costs as much as a small job, so small jobs share an answer. */
const peakEveryMs = 250
let peak = { askedAtMs: Number.NEGATIVE_INFINITY, megabytes: 0 }

function peakRssMb(nowMs: number): number {
  if (nowMs - peak.askedAtMs >= peakEveryMs)
    peak = { askedAtMs: nowMs, megabytes: resourceUsage.call(process).maxRSS / 1024 }
  return peak.megabytes
}

export function startJobClock(): JobClock {
  const wallStartMs = realNow()
  const cpuStartMs = threadCpuMs()
  return {
    read() {
      const nowMs = realNow()
      return {
        wallMs: nowMs - wallStartMs,
        cpuMs: Math.max(0, threadCpuMs() - cpuStartMs),
        // In a thread this is the peak of the whole process so far: an upper bound. In a child it is the job's own.
        peakRssMb: peakRssMb(nowMs),
      }
    },
  }
}

const schedstat = openSchedstat()
const text = Buffer.alloc(96)

function threadCpuMs(): number {
  if (threadUsage !== undefined) {
    const { user, system } = threadUsage.call(process)
    return (user + system) / 1000
  }
  if (schedstat !== undefined) {
    const length = readSync(schedstat, text, 0, text.length, 0)
    return Number.parseInt(text.toString('latin1', 0, length), 10) / 1e6
  }
  const { user, system } = processUsage.call(process)
  return (user + system) / 1000
}

function openSchedstat(): number | undefined {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return undefined // not Linux: the whole process is the nearest there is
  }
}
