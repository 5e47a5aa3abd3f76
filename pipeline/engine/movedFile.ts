import { openSync, readFileSync } from 'node:fs'

/** Where an object's bytes can be read. Those of this run are staged first and moved when their group becomes durable,
 *  perhaps just while a worker is on its way to open them. */
export interface Place {
  readonly path: string
  readonly finalPath: string
}

export const readPlaced = (place: Place): Buffer => atEither(place, (path) => readFileSync(path))

export const openPlaced = (place: Place): number => atEither(place, (path) => openSync(path, 'r'))

function atEither<T>({ path, finalPath }: Place, read: (path: string) => T): T {
  try {
    return read(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === finalPath) throw error
    return read(finalPath)
  }
}
