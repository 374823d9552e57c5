// How soon a whole fleet is back: the hub is ended, by SIGTERM and by SIGKILL, and started again; each client comes
// back by the product's own backoff. Measured from when the hub listens to the first acknowledgement of each client.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hubProgram } from './servers.mjs';
import { latencies } from './stats.mjs';

const FLEET = fileURLToPath(new URL('./fleet.mjs', import.meta.url));

export async function hubRestart(folder, { clients, restarts }) {
  const hub = await hubProgram(folder);
  let server = await hub.start();
  const plan = { clients, url: server.url, token: server.token };
  const fleet = fork(FLEET, [JSON.stringify(plan)]);
  try {
    await told(fleet, 'ready');
    const times = { SIGTERM: [], SIGKILL: [] };
    for (let restart = 0; restart < restarts; restart++) {
      for (const signal of ['SIGTERM', 'SIGKILL']) {
        const back = told(fleet, 'back');
        fleet.send('restart');
        await server.end(signal);
        server = await hub.start();
        const { acknowledgedAt } = await back;
        for (const at of acknowledgedAt) times[signal].push(at - server.listeningAt);
      }
    }
    return { clients, sigterm: latencies(times.SIGTERM), sigkill: latencies(times.SIGKILL) };
  } finally {
    fleet.kill('SIGKILL');
    await server.end();
  }
}

async function told(child, wanted) {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the fleet ended')));
  for (;;) {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    if (message.is === wanted) return message;
  }
}
