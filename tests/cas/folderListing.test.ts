import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { FolderListing } from '../../cas/folderListing.ts'

const dir = mkdtempSync(join(tmpdir(), 'tickpipe-listing-'))
const folder = join(dir, 'folder')
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const setChangedSecondsAgo = (seconds: number): void => {
  const at = Math.floor(Date.now() / 1000) - seconds
  utimesSync(folder, at, at)
}

test('a folder that changes while it is looked at is listed each time', () => {
  mkdirSync(folder, { recursive: true })
  const listing = new FolderListing(folder)
  for (let n = 0; n < 50; n++) {
    writeFileSync(join(folder, String(n)), '')
    expect(listing.names()).toHaveLength(n + 1)
  }
})

test('one that has settled is believed until its time changes, then listed again', () => {
  mkdirSync(folder, { recursive: true })
  setChangedSecondsAgo(60)
  const listing = new FolderListing(folder)
  expect(listing.names()).toEqual([])
  writeFileSync(join(folder, 'new'), '')
  expect(listing.names()).toEqual(['new'])
  setChangedSecondsAgo(60)
  expect(listing.names()).toEqual(['new'])
  writeFileSync(join(folder, 'hidden'), '')
  setChangedSecondsAgo(60)
  expect(listing.names()).toEqual(['new']) // nobody but a test sets the time back: this shows that it is not listed
})

test('a time that lies ahead of the clock is never believed', () => {
  mkdirSync(folder, { recursive: true })
  setChangedSecondsAgo(-100)
  const listing = new FolderListing(folder)
  expect(listing.names()).toEqual([])
  writeFileSync(join(folder, 'new'), '')
  setChangedSecondsAgo(-100)
  expect(listing.names()).toEqual(['new'])
})

test('a folder that is not there has no names, and has them when it comes', () => {
  const listing = new FolderListing(folder)
  expect(listing.names()).toEqual([])
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'a'), '')
  expect(listing.names()).toEqual(['a'])
  rmSync(folder, { recursive: true })
  expect(listing.names()).toEqual([])
})
