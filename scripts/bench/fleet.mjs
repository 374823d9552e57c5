// A fleet of clients that come back by the backoff of the product's uplink whenever the hub is gone.
// usage, forked: node fleet.mjs '{"clients","url","token"}'; takes 'restart', tells {is: 'ready'} and
// {is: 'back', acknowledgedAt: Unix times in milliseconds of each client's first acknowledgement after it}
import {
  afterProgress,
  INITIAL_BACKOFF,
  reconnectDelay,
} from '../../dist/protocol/reconnection.js';
import { HubClient } from './hub-client.mjs';

const plan = JSON.parse(process.argv[2]);
/** What a camera at rest sends. */
const SEND_EVERY_MS = 1000;
let acknowledgedAt = null;

function member(index) {
  const client = new HubClient({ ...plan, id: `fleet-${index}`, frame: 1 });
  let backoff = INITIAL_BACKOFF;
  let isWaiting = false;
  let hasEnded = false;
  let isCounted = false;

  const send = () => {
    if (isWaiting) return;
    isWaiting = true;
    client.send(() => {
      isWaiting = false;
      backoff = afterProgress(backoff);
      if (hasEnded && !isCounted) {
        isCounted = true;
        noteBack();
      }
    });
  };
  const open = () => {
    void client.open().then(() => {
      const { base_ms: baseMs, cap_ms: capMs } = client.reconnect;
      backoff = { ...backoff, baseMs, capMs };
    });
  };
  client.onEnd = () => {
    hasEnded = true;
    const ending =
      client.drainAfterMs === null
        ? { kind: 'lost' }
        : { kind: 'told', delayMs: client.drainAfterMs };
    const at = { nowMs: performance.now(), random: Math.random };
    const next = reconnectDelay(backoff, ending, at);
    backoff = next.backoff;
    setTimeout(open, next.delayMs);
    // An edge always has something to tell.
    send();
  };
  setInterval(send, SEND_EVERY_MS);
  return {
    first: () => {
      const opened = client.open().then(() => {
        const { base_ms: baseMs, cap_ms: capMs } = client.reconnect;
        backoff = { ...backoff, baseMs, capMs };
      });
      send();
      return opened;
    },
    watch: () => {
      hasEnded = false;
      isCounted = false;
    },
  };
}

function noteBack() {
  acknowledgedAt.push(performance.timeOrigin + performance.now());
  if (acknowledgedAt.length === plan.clients) process.send({ is: 'back', acknowledgedAt });
}

const members = Array.from({ length: plan.clients }, (_, index) => member(index));
for (let index = 0; index < members.length; index += 50)
  await Promise.all(members.slice(index, index + 50).map(({ first }) => first()));
process.on('message', () => {
  acknowledgedAt = [];
  for (const { watch } of members) watch();
});
process.once('disconnect', () => process.exit(0));
process.send({ is: 'ready' });
