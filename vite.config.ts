import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The console, built into files that the daemon serves: nothing in them is from elsewhere, or inline. */
export default defineConfig({
  root: 'src/console',
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    // A data address would be no file of this box.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
