import { describe, expect, test } from 'vitest'
import { hider, isSecretName, passwordIn } from '../../lib/secret.ts'

describe('a name says that its value is secret', () => {
  test.each([
    'VENUE_API_KEY',
    'VENUE_API_KEYS',
    'AWS_ACCESS_KEY_ID',
    'OKX_PASSPHRASE',
    'DB_PASS',
    'SECRET_KEY_BASE',
    'X-MBX-APIKEY',
    'OK-ACCESS-PASSPHRASE',
    'Authorization',
    'listenKey',
    'X-Amz-Signature',
    'api_key',
    'refreshToken',
  ])('%s', (name) => expect(isSecretName(name)).toBe(true))
  test.each(['HOME', 'symbol', 'startTime', 'KEYBOARD_LAYOUT', 'monkey', 'AUTHOR', 'PASSENGERS', 'limit'])(
    'but not %s',
    (name) => expect(isSecretName(name)).toBe(false),
  )
})

test('a password in a URL is one, whatever the variable is called', () => {
  expect(passwordIn('http://me:s3cret%21@proxy.test:8080')).toEqual(['s3cret!', 's3cret%21'])
  expect(passwordIn('http://me:50%off@proxy.test')).toEqual(['50%off'])
  for (const text of ['http://proxy.test', 'me:s3cret', '/usr/bin:/bin', 'http://'])
    expect(passwordIn(text)).toEqual([])
})

describe('a value is hidden', () => {
  const value = 'k3y/with "quotes" (and) more!'
  const hide = hider([value])
  test.each([
    ['as it is', value],
    ['in a URL', encodeURIComponent(value)],
    ['in a URL with small letters', encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
    ['in a form', new URLSearchParams({ a: value }).toString()],
    ['in JSON', JSON.stringify({ a: value })],
    ['twice', `${value}${value}`],
  ])('%s', (_, text) => {
    expect(hide(text)).toMatch(/hidden/)
    expect(hide(text)).not.toMatch(/k3y|more/)
  })

  test('though its variable ends in a new line, as files read into one do', () => {
    expect(hider(['s3cret-key\n'])('key=s3cret-key;')).toBe('key=hidden;')
  })

  test('whole where another is a part of it', () => {
    expect(hider(['s3cret', 's3cret-and-more'])('it is s3cret-and-more')).toBe('it is hidden')
  })

  test('but a plain word or a few digits are not: texts have them by chance', () => {
    const text = 'no funding in 2026, 12345 rows'
    expect(hider(['funding', '2026', '12345', 'a', ''])(text)).toBe(text)
  })
})
