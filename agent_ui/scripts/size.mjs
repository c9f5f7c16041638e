// The first load (page, and the scripts and styles that it names) must stay within 60 KB gzipped; pages that are opened
// later bring their own.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMIT = 60 * 1024
const dist = new URL('../dist/', import.meta.url)
const page = readFileSync(new URL('index.html', dist), 'utf8')
const named = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name)
if (!named.some((name) => name.endsWith('.js'))) throw new Error('index.html names no script')
const weigh = (name) => gzipSync(readFileSync(new URL(name, dist))).length
const total = ['index.html', ...named].reduce((sum, name) => sum + weigh(name), 0)
const later = readdirSync(new URL('assets/', dist))
  .map((name) => `assets/${name}`)
  .filter((name) => !named.includes(name))
  .reduce((sum, name) => sum + weigh(name), 0)
console.log(`first load: ${total} bytes gzipped of ${LIMIT} allowed; ${later} more for pages opened later`)
if (total > LIMIT) process.exit(1)
if (/<style|style=|<script(?![^>]*\bsrc=)|\bon\w+=/.test(page)) {
  console.error('index.html has inline code, which the content security policy forbids')
  process.exit(1)
}
