import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  plugins: [react(), compressed()],
  // producers/web/console.ts puts a fresh one into each answer.
  html: { cspNonce: 'NONCE' },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    // Inlined files would be data: URLs, which the policy allows for pictures only.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/queues', '/sign-in', '/sign-out'].map((path) => [path, 'http://127.0.0.1:3000']),
    ),
  },
});

/** The web process sends what is compressed here. */
function compressed(): Plugin {
  let dir = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved({ root, build }) {
      dir = join(root, build.outDir, 'assets');
    },
    closeBundle() {
      for (const name of readdirSync(dir)) {
        if (!/\.(js|css)$/.test(name)) continue;
        const content = readFileSync(join(dir, name));
        writeFileSync(join(dir, `${name}.gz`), gzipSync(content, { level: 9 }));
        writeFileSync(join(dir, `${name}.br`), brotliCompressSync(content));
      }
    },
  };
}
