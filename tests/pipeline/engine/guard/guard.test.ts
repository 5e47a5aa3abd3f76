import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ExecutorRig, executorRig } from '../executor/executorRig.ts'

let rig: ExecutorRig
beforeAll(async () => {
  rig = await executorRig()
})
afterAll(() => rig.close())

/** What a task writes, and what the message then says that it called. */
const escapes: readonly (readonly [source: string, call: string])[] = [
  // the clock
  ['Date.now()', 'Date.now()'],
  ['new Date()', 'new Date()'],
  ['Date()', 'Date()'],
  ['new (new Date(0).constructor)()', 'new Date()'],
  ['new (class extends Date {})()', 'new Date()'],
  ['Reflect.construct(Date, [])', 'new Date()'],
  ['performance.now()', 'performance.now()'],
  ['performance.timeOrigin', 'performance.timeOrigin'],
  ['require("node:perf_hooks").performance.now()', 'perf_hooks.performance.now()'],
  ['process.hrtime()', 'process.hrtime()'],
  ['process.hrtime.bigint()', 'process.hrtime.bigint()'],
  ['process.uptime()', 'process.uptime()'],
  ['new Event("x").timeStamp', 'event.timeStamp'],
  ['new File([], "x").lastModified', 'new File()'],
  ['console.time("x")', 'console.time()'],
  // timers
  ['setTimeout(() => {}, 0)', 'setTimeout()'],
  ['setInterval(() => {}, 1)', 'setInterval()'],
  ['setImmediate(() => {})', 'setImmediate()'],
  ['require("node:timers/promises").setTimeout(1)', 'timers.promises.setTimeout()'],
  ['AbortSignal.timeout(1)', 'AbortSignal.timeout()'],
  ['new MessageChannel()', 'new MessageChannel()'],
  // randomness
  ['Math.random()', 'Math.random()'],
  ['crypto.randomUUID()', 'crypto.randomUUID()'],
  ['crypto.getRandomValues(new Uint8Array(4))', 'crypto.getRandomValues()'],
  ['crypto.subtle.generateKey({}, true, [])', 'crypto.subtle.generateKey()'],
  ['require("node:crypto").randomBytes(4)', 'crypto.randomBytes()'],
  ['require("node:crypto").randomInt(4)', 'crypto.randomInt()'],
  ['require("node:crypto").webcrypto.getRandomValues(new Uint8Array(4))', 'crypto.webcrypto.getRandomValues()'],
  ['require("node:crypto").generateKeyPairSync("ed25519")', 'crypto.generateKeyPairSync()'],
  // the environment
  ['process.env.HOME', 'process.env.HOME'],
  ['"HOME" in process.env', 'process.env.HOME'],
  ['Object.keys(process.env)', 'Object.keys(process.env)'],
  ['globalThis.process.env["HOME"]', 'process.env.HOME'],
  ['require("node:process").env.HOME', 'process.env.HOME'],
  ['process.cwd()', 'process.cwd()'],
  ['process.pid', 'process.pid'],
  ['process.platform', 'process.platform'],
  ['process.version', 'process.version'],
  ['process.versions.node', 'process.versions.node'],
  ['process.memoryUsage()', 'process.memoryUsage()'],
  ['require("node:path").resolve("a")', 'process.cwd()'],
  ['require("node:os").cpus()', 'os.cpus()'],
  ['require("node:os").EOL', 'os.EOL'],
  ['require("node:v8").getHeapStatistics()', 'v8.getHeapStatistics()'],
  // the process
  ['process.exit(0)', 'process.exit()'],
  ['process.kill(1)', 'process.kill()'],
  ['process.chdir("/")', 'process.chdir()'],
  ['process.emitWarning("x")', 'process.emitWarning()'],
  ['process.on("exit", () => {})', 'process.on()'],
  ['process.binding("fs")', 'process.binding()'],
  ['require("node:child_process").execSync("date")', 'child_process.execSync()'],
  ['new (require("node:worker_threads").Worker)("x")', 'new worker_threads.Worker()'],
  ['require("node:cluster").fork()', 'cluster.fork()'],
  ['new SharedArrayBuffer(8)', 'new SharedArrayBuffer()'],
  ['new (SharedArrayBuffer.prototype.constructor)(8)', 'new SharedArrayBuffer()'],
  ['Atomics.wait(new Int32Array(8), 0, 0, 1)', 'Atomics.wait()'],
  // the world
  ['require("node:fs").readFileSync("/etc/hostname")', 'fs.readFileSync()'],
  ['require("node:fs").promises.readFile("/etc/hostname")', 'fs.promises.readFile()'],
  ['require("node:fs/promises").stat("/")', 'fs.promises.stat()'],
  ['fetch("http://127.0.0.1:1")', 'fetch()'],
  ['new WebSocket("ws://127.0.0.1:1")', 'new WebSocket()'],
  ['new EventSource("http://127.0.0.1:1")', 'new EventSource()'],
  ['require("node:net").connect(1)', 'net.connect()'],
  ['require("node:http").get("http://127.0.0.1:1")', 'http.get()'],
  ['require("node:https").request("https://127.0.0.1:1")', 'https.request()'],
  ['require("node:tls").connect(1)', 'tls.connect()'],
  ['require("node:dgram").createSocket("udp4")', 'dgram.createSocket()'],
  ['require("node:dns").lookup("localhost", () => {})', 'dns.lookup()'],
  // what the garbage collector decides
  ['new WeakRef({})', 'new WeakRef()'],
  ['new (WeakRef.prototype.constructor)({})', 'new WeakRef()'],
  ['new FinalizationRegistry(() => {})', 'new FinalizationRegistry()'],
  // language and time zone
  ['new Intl.NumberFormat()', 'new Intl.NumberFormat()'],
  ['Intl.DateTimeFormat().resolvedOptions().timeZone', 'Intl.DateTimeFormat()'],
  ['(1234.5).toLocaleString("de")', 'Number.prototype.toLocaleString()'],
  ['[1].toLocaleString()', 'Array.prototype.toLocaleString()'],
  ['"a".localeCompare("b")', 'String.prototype.localeCompare()'],
  ['new Date(0).toLocaleDateString()', 'Date.prototype.toLocaleDateString()'],
  ['`${new Date(0)}`', 'Date.prototype.toString()'],
  // code that is not in the bundle, and bytes that depend on Node
  ['eval("1")', 'eval()'],
  ['(0, eval)("var leak = 1")', 'eval()'],
  ['new Function("return eval")()("let leak = 1")', 'eval()'],
  ['require("node:module").createRequire("/")', 'module.createRequire()'],
  ['require("node:vm").runInThisContext("1")', 'vm.runInThisContext()'],
  ['require("node:zlib").gzipSync("x")', 'zlib.gzipSync()'],
  ['new CompressionStream("gzip")', 'new CompressionStream()'],
]

describe('a pure task is stopped, and the message names task, call and line, when it says', () => {
  for (const [source, call] of escapes) {
    test(source, async () => {
      const fault = await rig.fault(rig.task(`return (${source})`))
      expect(fault.what).toContain(`task "x" called ${call} at project/tasks/x:5:`)
      expect(fault.what).toContain('a pure task sees only its params and inputs: ')
      expect([fault.code, fault.where, fault.details['call']]).toEqual(['failed', 'x[1]', call])
    })
  }
})

describe('there is no way round the wires', () => {
  test('catching the error does not help: the node fails all the same', async () => {
    const fault = await rig.fault(rig.task('try { return Date.now() } catch { return 0 }'))
    expect(fault.what).toContain('called Date.now() at project/tasks/x:5:')
  })

  test('the first call counts when there are several', async () => {
    const fault = await rig.fault(rig.task('try { Math.random() } catch {} return Date.now()'))
    expect(fault.details['call']).toBe('Math.random()')
  })

  test('the top of a module is watched like run', async () => {
    const fault = await rig.fault(rig.task('return at', 'const at = Date.now()'))
    expect(fault.what).toContain('called Date.now() at project/tasks/x:1:')
  })

  test('so is what runs after an await', async () => {
    const fault = await rig.fault(rig.task('return (async () => { await null; return Date.now() })()'))
    expect(fault.details['call']).toBe('Date.now()')
  })

  test('so is what a task leaves behind when it returns', async () => {
    const late = 'let n = 0; const go = () => { if (++n < 50) queueMicrotask(go); else Date.now() }; go(); return 1'
    expect((await rig.fault(rig.task(late))).details['call']).toBe('Date.now()')
  })

  test('so is a table of batches that is still being computed while it is written', async () => {
    const fault = await rig.fault(
      rig.code(`
const schema = { name: 't', columns: {}, sortKey: [] }
exports.makeTable = (schema, columns) => ({ schema, columns })
exports.tableWriter = () => ({ append() {}, finish: () => ({ rowCount: 0 }) })
exports.task = { name: 'x', params: { parse: (p) => p }, inputs: {}, output: { form: 'table', name: 't', schema },
  *run() { yield { schema, columns: {} }; Math.random() } }`),
    )
    expect(fault.details['call']).toBe('Math.random()')
  })

  test('code made from text meets the same wires, and the line is that of its maker', async () => {
    const fault = await rig.fault(rig.task('return new Function("return Date.now()")()'))
    expect(fault.what).toContain('called Date.now() at project/tasks/x:5:')
  })

  test('a task that changes how stacks are made hides nothing', async () => {
    const hide = 'Error.stackTraceLimit = 0; Error.prepareStackTrace = () => "nowhere"; return Date.now()'
    expect((await rig.fault(rig.task(hide))).what).toContain('at project/tasks/x:5:')
  })

  const imports = { plain: 'import("node:fs")', 'in made code': 'new Function("return import(\'node:fs\')")()' }
  for (const [name, source] of Object.entries(imports)) {
    test(`import() leads nowhere (${name})`, async () => {
      const fault = await rig.fault(rig.task(`return ${source}.then((fs) => fs.readFileSync("/etc/hostname", "utf8"))`))
      expect(fault.todo).toContain('import the module statically')
    })
  }

  test('a promise that fails unheard fails the node', async () => {
    const fault = await rig.fault(rig.task('Promise.reject(new Error("unheard")); return 1'))
    expect(fault.what).toContain('unheard')
  })

  test('so does an error in a microtask', async () => {
    const fault = await rig.fault(rig.task('queueMicrotask(() => { throw new Error("late") }); return 1'))
    expect(fault.what).toContain('late')
  })
})

describe('what is pure stays allowed', () => {
  const pure: readonly (readonly [source: string, want: unknown])[] = [
    ['new Date(0).toISOString()', '1970-01-01T00:00:00.000Z'],
    ['new Date(2024, 0, 1).getTime()', Date.UTC(2024, 0, 1)],
    ['Date.parse("2024-01-01T00:00:00")', Date.UTC(2024, 0, 1)],
    ['new Date(0).getTimezoneOffset()', 0],
    ['new Date(1) instanceof Date', true],
    ['new (class extends Date {})(5).getTime()', 5],
    ['Date.name + Date.length', 'Date7'],
    ['typeof process + typeof fetch + typeof performance + typeof navigator', 'objectfunctionobjectundefined'],
    ['process.env.NODE_ENV', 'production'],
    ['process.browser === undefined', true],
    ['Object.prototype.toString.call(process)', '[object process]'],
    ['({}) instanceof WeakRef', false],
    ['class A extends require("node:http").Agent {}.name', 'A'],
    ['require("node:crypto").createHash("sha256").update("").digest("hex").slice(0, 8)', 'e3b0c442'],
    ['require("node:path").resolve("/a", "..", "b")', '/b'],
    ['require("node:util").inspect({ a: 1 })', '{ a: 1 }'],
    ['require("node:zlib").gunzipSync(Buffer.from("H4sIAAAAAAACA0vMBQD8VTwOAgAAAA==", "base64")).length', 2],
    ['new Function("a", "return a + 1")(1)', 2],
    ['structuredClone({ a: [1] })', { a: [1] }],
    ['Buffer.allocUnsafe(64).every((byte) => byte === 0)', true],
    ['Buffer.from("ab").buffer.byteLength', 2],
    ['new URL("http://a/b?c=1").searchParams.get("c")', '1'],
  ]
  for (const [source, want] of pure) {
    test(source, async () => expect(await rig.value(rig.task(`return (${source})`))).toEqual(want))
  }

  test('a failed assertion without a message does not look for the source', async () => {
    const fault = await rig.fault(rig.task('require("node:assert/strict").ok(false)'))
    expect(fault.what).toContain('The expression evaluated to a falsy value')
  })

  test('what it prints goes to the log of the node', async () => {
    const { log } = await rig.run(rig.task('console.log("a %d", 1, { b: 2 }); context.log("c"); return 1'))
    expect(log).toEqual(['a 1 { b: 2 }', 'c'])
  })
})

describe('nothing passes from one node to the next', () => {
  /** What one node does, and what the next one must find. Some of it fails at once: built-in objects are locked. */
  const leaks: readonly (readonly [change: string, look: string, want: unknown])[] = [
    ['globalThis.leak = 1', 'typeof leak', 'undefined'],
    ['Object.defineProperty(globalThis, "leak", { value: 1 })', 'typeof leak', 'undefined'],
    ['new Function("leak = 1")()', 'typeof leak', 'undefined'],
    ['globalThis.Map = null', 'typeof Map', 'function'],
    ['Math.foo = 1', 'typeof Math.foo', 'undefined'],
    ['Math.max = () => 7', 'Math.max(1, 2)', 2],
    ['Math.max.calls = 1', 'typeof Math.max.calls', 'undefined'],
    ['Array.prototype.leak = 1', '[].leak === undefined', true],
    ['Array.prototype.push = () => 7', '[].push(1)', 1],
    ['Array.prototype[0] = 7', 'Array(1)[0] === undefined', true],
    ['Object.prototype.leak = 1', '({}).leak === undefined', true],
    ['Object.defineProperty(Object.prototype, "leak", { value: 1 })', '({}).leak === undefined', true],
    ['Object.freeze(RegExp.prototype)', 'Object.isFrozen(RegExp.prototype)', false],
    [
      'Object.defineProperty(Error.prototype, "name", { writable: false })',
      '(() => { "use strict"; const e = new Error(); e.name = "E"; return e.name })()',
      'E',
    ],
    ['Object.freeze(Error.prototype)', 'Object.isFrozen(Error.prototype)', false],
    ['Object.preventExtensions(globalThis)', 'Object.isExtensible(globalThis)', true],
    ['Uint8Array.prototype.fill = () => 7', 'new Uint8Array(1).fill(1)[0]', 1],
    ['Object.getPrototypeOf(Uint8Array.prototype).slice = null', 'new Uint8Array(1).slice().length', 1],
    ['Buffer.prototype.toString = () => "leak"', 'Buffer.from("ab").toString()', 'ab'],
    ['String.prototype.trim = () => "leak"', '" a ".trim()', 'a'],
    ['Function.prototype.call = null', 'typeof Function.prototype.call', 'function'],
    ['RegExp.prototype.test = () => true', '/a/.test("b")', false],
    ['/(l)eak/.exec("leak")', 'RegExp.$1 + RegExp.input', ''],
    ['Map.prototype.leak = 1', 'new Map().leak === undefined', true],
    ['Error.prototype.name = "Leak"', 'new Error().name', 'Error'],
    ['Error.stackTraceLimit = 1', 'Error.stackTraceLimit', 10],
    ['Error.prepareStackTrace = () => "leak"', 'typeof new Error().stack', 'string'],
    ['Promise.prototype.then = null', 'typeof Promise.prototype.then', 'function'],
    ['Object.getPrototypeOf(async () => {}).leak = 1', '(async () => {}).leak === undefined', true],
    ['Object.getPrototypeOf([][Symbol.iterator]()).next = null', '[...[1]].length', 1],
    ['process.leak = 1', 'typeof process.leak', 'undefined'],
    ['process.env.LEAK = "1"', 'process.env.NODE_ENV', 'production'],
    ['console.leak = 1', 'typeof console.leak', 'undefined'],
    ['require("node:events").leak = 1', 'typeof require("node:events").leak', 'undefined'],
    ['require("node:events").defaultMaxListeners = 99', 'require("node:events").defaultMaxListeners', 10],
    ['require("node:util").leak = 1', 'typeof require("node:util").leak', 'undefined'],
    ['require("node:util").inspect.leak = 1', 'typeof require("node:util").inspect.leak', 'undefined'],
    ['Buffer.poolSize = 8192', 'Buffer.from("ab").buffer.byteLength', 2],
    ['exports.leak = 1', 'typeof exports.leak', 'undefined'],
    ['Object.setPrototypeOf(globalThis, { leak: 1 })', 'typeof leak', 'undefined'],
    ['Object.getPrototypeOf(globalThis).leak = 1', 'typeof leak', 'undefined'],
    ['Object.setPrototypeOf(RegExp.prototype, { leak: 1 })', 'typeof /a/.leak', 'undefined'],
  ]
  for (const [change, look, want] of leaks) {
    test(change, async () => {
      const failed = await rig.run(rig.task(`'use strict'; ${change}; return 1`)).then(
        () => undefined,
        (error: Error) => error.message,
      )
      if (failed !== undefined) {
        expect(failed).toMatch(
          /not extensible|read only|read-only|called process\.|Cannot (redefine|assign|add|define)|must not change/,
        )
      }
      expect(await rig.value(rig.task(`return (${look})`))).toEqual(want)
    })
  }

  test('not by a variable at the top of a module: every node has its own', async () => {
    const count = rig.task('return ++count', 'let count = 0; ')
    expect([await rig.value(count), await rig.value(count), await rig.value(count)]).toEqual([1, 1, 1])
  })

  test('an error class may still set its name, as half of npm does', async () => {
    const source = 'class E extends Error { constructor(m) { super(m); this.name = "E" } } return new E("x").toString()'
    expect(await rig.value(rig.task(source))).toBe('E: x')
  })
})

describe('what one task sees, another task or a strategy within it cannot change', () => {
  /** Code of two authors in one node: the first changes what it can reach, the second has what must not be seen. */
  const grab = `
const seen = []
const grab = (value) => { if (value !== null && typeof value === 'object' && 'secret' in value) seen.push('secret') }
const tries = (change) => { try { change() } catch {} }
`
  const own =
    'const own = Object.assign([1, 2], { secret: 1 }); const bytes = Object.assign(new Float64Array(2), { secret: 1 });'
  const define = (holder: string, key: string) =>
    `Object.defineProperty(${holder}, ${key}, { configurable: true, get() { grab(this); return undefined } })`
  const replace = (holder: string, key: string) =>
    `const real = ${holder}[${key}]; ${holder}[${key}] = function (...a) { grab(this); grab(a[0]); return real.apply(this, a) }`
  const species = '{ [Symbol.species]: function (a) { grab(a && a.secret ? a : { secret: 1 }); return [] } }'
  const thefts: readonly (readonly [change: string, use: string])[] = [
    [define('Object.prototype', '"mark"'), '({ secret: 1 }).mark'],
    ['Object.prototype.__defineGetter__("mark", function () { grab(this) })', '({ secret: 1 }).mark'],
    ['Object.prototype.__defineSetter__("mark", function () { grab(this) })', '({ secret: 1 }).mark = 1'],
    [define('Object.prototype', '"constructor"'), '({ secret: 1 }).constructor'],
    [define('Object.prototype', '"__proto__"'), '({ secret: 1 }).__proto__'],
    ['Reflect.setPrototypeOf(Object.prototype, { get mark() { grab(this) } })', '({ secret: 1 }).mark'],
    ['Object.assign(Object.getPrototypeOf(Array.prototype), { then() { grab(this) } })', 'own.then?.()'],
    [define('Array.prototype', '"mark"'), 'own.mark'],
    [define('Array.prototype', '7'), 'own[7]'],
    [define('Array.prototype', '"constructor"'), 'own.slice()'],
    [`Array.prototype.constructor = ${species}`, 'own.map((x) => x)'],
    ['Reflect.setPrototypeOf(Array.prototype, { get mark() { grab(this) } })', 'own.mark'],
    [replace('Array.prototype', '"map"'), 'own.map((x) => x)'],
    [replace('Array.prototype', '"push"'), 'own.push(1)'],
    [replace('Array.prototype', 'Symbol.iterator'), '[...own]'],
    ['Reflect.defineProperty(Array.prototype, "some", { value() { grab(this) } })', 'own.some((x) => x)'],
    ['delete Array.prototype.some; Array.prototype.some = function () { grab(this) }', 'own.some?.((x) => x)'],
    [define('Object.getPrototypeOf(Float64Array.prototype)', '"mark"'), 'bytes.mark'],
    [define('Float64Array.prototype', '"subarray"'), 'bytes.subarray'],
    [replace('Object.getPrototypeOf(Float64Array.prototype)', '"subarray"'), 'bytes.subarray(1)'],
    [replace('Object.getPrototypeOf(Float64Array.prototype)', 'Symbol.iterator'), '[...bytes]'],
    [define('Object.getPrototypeOf(Float64Array.prototype)', '"length"'), 'bytes.length'],
    [replace('Buffer.prototype', '"toString"'), 'Object.assign(Buffer.from("ab"), { secret: 1 }).toString()'],
    [replace('Buffer.prototype', '"readUInt8"'), 'Object.assign(Buffer.from("ab"), { secret: 1 }).readUInt8(0)'],
    [
      replace('DataView.prototype', '"getInt8"'),
      'Object.assign(new DataView(new ArrayBuffer(1)), { secret: 1 }).getInt8(0)',
    ],
    [replace('Map.prototype', '"get"'), 'Object.assign(new Map(), { secret: 1 }).get(1)'],
    [define('Map.prototype', '"mark"'), 'Object.assign(new Map(), { secret: 1 }).mark'],
    [replace('Set.prototype', '"has"'), 'Object.assign(new Set(), { secret: 1 }).has(1)'],
    [define('Function.prototype', '"mark"'), 'Object.assign(() => {}, { secret: 1 }).mark'],
    [replace('Function.prototype', '"call"'), '(() => {}).call(own)'],
    [replace('Object', '"keys"'), 'Object.keys(own)'],
    [replace('Object.getPrototypeOf([][Symbol.iterator]())', '"next"'), '[...own]'],
  ]
  for (const [change, use] of thefts) {
    test(change, async () => {
      const source = `${own} tries(() => { ${change} }); ${use}; return seen`
      // With neither a theft nor a change there is nothing to fail for.
      expect(await rig.value(rig.task(source, grab))).toEqual([])
    })
  }

  const changes: readonly (readonly [change: string, property: string])[] = [
    ['Int8Array.prototype.constructor = null', 'Int8Array.prototype.constructor'],
    ['RegExp.prototype.exec = () => null', 'RegExp.prototype.exec'],
    ['RegExp.prototype.leak = 1', 'RegExp.prototype.leak'],
    ['delete RegExp.prototype.test', 'RegExp.prototype.test'],
    ['RegExp.prototype[Symbol.split] = null', 'RegExp.prototype[Symbol.split]'],
    ['Object.setPrototypeOf(RegExp.prototype, null)', 'RegExp.prototype.__proto__'],
    ['Object.prototype.toString = () => ""', 'Object.prototype.toString'],
    ['Promise.prototype.then = null', 'Promise.prototype.then'],
    ['Error.prototype.name = "Leak"', 'Error.prototype.name'],
    ['Function.prototype.toString = () => ""', 'Function.prototype.toString'],
    ['Object.getPrototypeOf(Uint8Array.prototype).toString = null', 'TypedArray.prototype.toString'],
  ]
  for (const [change, property] of changes) {
    test(`a node that leaves one changed has failed: ${change}`, async () => {
      const fault = await rig.fault(rig.task(`${change}; return 1`))
      expect(fault.what).toContain(`task "x" changed ${property}; a pure task must not change what others see: `)
      expect([fault.code, fault.where, fault.details['call']]).toEqual(['failed', 'x[1]', property])
      expect(await rig.value(rig.task('return /a/.test("a") + String({})'))).toBe('true[object Object]')
    })
  }

  test('nor can a strategy have lists of the task around it made by a class of its own', async () => {
    const source = `${own} tries(() => { Float64Array.prototype.constructor = ${species} }); bytes.subarray(1); return seen`
    const strategy = rig.code('exports.value = {}')
    expect(await rig.value(rig.task(source, grab), { ports: { strategy } })).toEqual([])
  })

  test('a node that reads an input while one is changed has failed, also when it puts it back', async () => {
    const artifact = rig.artifact('text', { 'value.json': '1' })
    const code = rig.code(`
const any = { parse: (value) => value }
const real = Promise.prototype.then
Promise.prototype.then = null
exports.task = { name: 'x', params: any, inputs: { a: { form: 'json', name: 'text', schema: any } },
  output: { form: 'json', name: 'out', schema: any }, run() { Promise.prototype.then = real; return 1 } }`)
    const fault = await rig.fault(code, { inputs: { a: { kind: 'one', artifact } } })
    expect(fault.what).toContain('changed Promise.prototype.then')
  })

  test('a class derived from typed arrays may have a toString of its own, as in apache-arrow', async () => {
    const source = 'function A() {} A.prototype = Object.create(Int32Array.prototype); A.prototype.toString = () => "a"'
    expect(await rig.value(rig.task(`'use strict'; ${source}; return String(new A())`))).toBe('a')
  })

  test('objects of its own may override what they inherit', async () => {
    const source =
      'const o = {}; o.toString = () => "o"; o.constructor = 1; const f = () => 1; f.toString = () => "f"; f.name2 = 1; return [String(o), String(f)]'
    expect(await rig.value(rig.task(`'use strict'; ${source}`))).toEqual(['o', 'f'])
  })
})
