let runs = 0
const real = process.exit

/** While a run goes on, no source may end the process: it would end with status 0 and without a word. Gives the function
 *  that lifts the ban. */
export function forbidExit(): () => void {
  runs++
  process.exit = () => {
    throw new Error('a task called process.exit: throw an error instead')
  }
  return () => {
    if (--runs === 0) process.exit = real
  }
}

export const isExitForbidden = (): boolean => runs > 0
