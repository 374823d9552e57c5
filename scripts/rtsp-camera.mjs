#!/usr/bin/env node
/**
 * RTSP camera for tests and the demo, from video files:
 *
 *   node scripts/rtsp-camera.mjs --port 8554 front=clip.mp4 yard=other.mp4
 *
 * Prints `ready PORT` when it listens. Environment: RTSP_AUTH=user:password (Basic) or
 * user:password:digest; FAULTS='{"stall":true}' (see Faults in rtsp-camera/server.mjs).
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadClip } from './rtsp-camera/clip.mjs';
import { RtspCamera } from './rtsp-camera/server.mjs';

export { loadClip } from './rtsp-camera/clip.mjs';
export { RtspCamera } from './rtsp-camera/server.mjs';

const USAGE = `Usage: rtsp-camera.mjs [options] NAME=FILE...
  --port N          port to listen on; 0, the default, takes a free one
  --host ADDRESS    address to listen on (default 127.0.0.1)
  --no-loop         end connections at the clip's end
  --wallclock       new clients join where the clip is now, as at a live camera
  --start-at-ms N   with --wallclock: Unix time at which the clip was at its start (default now)
`;

function parseCommandLine() {
  return parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      'no-loop': { type: 'boolean', default: false },
      wallclock: { type: 'boolean', default: false },
      'start-at-ms': { type: 'string', default: String(Date.now()) },
      help: { type: 'boolean', default: false },
    },
  });
}

/** @param {string | undefined} text */
function parseAuth(text) {
  if (!text) return null;
  const [user = '', password = '', scheme] = text.split(':');
  return { user, password, digest: scheme === 'digest' };
}

async function main() {
  const { values, positionals } = parseCommandLine();
  if (values.help || positionals.length === 0) {
    process.stdout.write(USAGE);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const camera = new RtspCamera({ auth: parseAuth(process.env.RTSP_AUTH) });
  Object.assign(camera.faults, JSON.parse(process.env.FAULTS ?? '{}'));
  const clips = await Promise.all(
    positionals.map(async (mount) => {
      const equals = mount.indexOf('=');
      return { name: mount.slice(0, equals), clip: await loadClip(mount.slice(equals + 1)) };
    }),
  );
  for (const { name, clip } of clips) {
    camera.addMount(name, clip, {
      loop: !values['no-loop'],
      wallclock: values.wallclock,
      startAtMs: Number(values['start-at-ms']),
    });
  }
  const stop = () => void camera.close();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdout.write(`ready ${await camera.listen(Number(values.port), values.host)}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
