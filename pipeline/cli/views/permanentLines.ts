import type { RunEvent } from '../../engine/event.ts'
import { durationText, shortId } from '../human.ts'
import type { Style } from '../style.ts'
import { renderFailure } from './failureBlock.ts'

/** What must stay readable after the run scrolled by, whichever view is used: failures as they come, healing, disputes,
 *  warnings. */
export function permanentLines(event: RunEvent, style: Style): string[] {
  switch (event.kind) {
    case 'node failed':
      return [renderFailure(event.address, event.task, event.failure, style)]
    case 'node retried': {
      const wait = event.waitMs !== undefined && event.waitMs > 0 ? `, next try in ${durationText(event.waitMs)}` : ''
      return [
        `${style.warn('retry')}     ${event.address}  attempt ${event.attempt} failed: ${firstLine(event.error)}${wait}`,
      ]
    }
    case 'node healed':
      return [
        `${style.warn('healed')}    ${event.address}  its bytes were ${event.what}; ${shortId(event.artifact)} is back`,
      ]
    case 'node disputed':
      return [
        `${style.bad('disputed')}  ${event.address}  gave other bytes than before: ${shortId(event.first)}, now ${shortId(event.second)}`,
        ...(event.difference === undefined ? [] : [`          first difference: ${event.difference}`]),
        `          see "pipe resolve ${event.address}"`,
      ]
    case 'warning':
      return [`${style.warn('warning')}   ${event.message}`]
    default:
      return []
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!
