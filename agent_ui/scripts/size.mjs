// The first load (page, script, style) must stay within 60 KB gzipped.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const LIMIT = 60 * 1024
const dist = new URL('../dist/', import.meta.url)
const files = ['index.html', ...readdirSync(new URL('assets/', dist)).map((name) => `assets/${name}`)]
const first = files.filter((name) => /\.(html|js|css)$/.test(name))
const total = first.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, dist))).length, 0)
console.log(`first load: ${total} bytes gzipped of ${LIMIT} allowed`)
if (total > LIMIT) process.exit(1)
const page = readFileSync(new URL('index.html', dist), 'utf8')
if (/<style|style=|<script(?![^>]*\bsrc=)|\bon\w+=/.test(page)) {
  console.error('index.html has inline code, which the content security policy forbids')
  process.exit(1)
}
