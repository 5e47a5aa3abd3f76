import { flag } from './flag.ts'

/** Flags every command takes, before or after its name. */
export const globalFlags = {
  root: flag.text('Use the store here (else PIPE_ROOT, else the project\'s "root", else ~/.pipe)', {
    hint: 'folder',
    completes: 'file',
  }),
  cwd: flag.text('Work as if started in this folder', { hint: 'folder', completes: 'file', short: 'C' }),
  json: flag.boolean('Print JSON on standard output and nothing else'),
  quiet: flag.boolean('Print results and errors only', { short: 'q' }),
  color: flag.choice3('Colour, or --no-color; NO_COLOR and FORCE_COLOR are obeyed'),
  help: flag.boolean('Show this help', { short: 'h' }),
} as const
