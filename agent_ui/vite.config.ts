import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// The page is served under a policy without inline scripts, styles or data: addresses.
export default defineConfig({
  root: here('apps/console'),
  plugins: [svelte({ configFile: here('svelte.config.js') })],
  build: {
    outDir: here('dist'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/ws': { target: 'ws://127.0.0.1:8080', ws: true } } },
  test: {
    root: here('.'),
    include: ['tests/**/*.test.ts'],
    environment: 'happy-dom',
  },
  resolve: process.env['VITEST'] === undefined ? {} : { conditions: ['browser'] },
})
