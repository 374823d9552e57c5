import { expect } from 'vitest';
import { waitFor } from '../support/program.ts';
import { testWhere } from './support/needs.ts';
import { expectSawAll, FaultScene } from './support/scene.ts';
import { IS_LONG, SEED, seeded } from './support/seed.ts';
import { straced } from './support/strace.ts';
import { RecordingSubscriber } from './support/subscriber.ts';

const RATES = { alert: 200, face: 30, event: 30, detection: 200, status: 5 };
/** A life that its injection did not end within this made fewer such calls; it is ended in good order. */
const LIFE_MS = IS_LONG ? 6000 : 1200;
/** From the start of the store to its being open, with what a kill left behind. */
const OPEN_MS = 2000;
/** Killed by the sweeps below in the short form, at least. */
const LEAST_KILLS = 10;

/**
 * Injections for a sweep over the calls by which SQLite and the store change files: all of the first 300 in the
 * long form, else a few early ones and a sample. The last three belong to the end of a life.
 */
function sweep(samples: number): string[] {
  const random = seeded(SEED);
  const sampled = (most: number): number[] =>
    Array.from({ length: samples }, () => 3 + Math.floor(random() * most));
  const all = Array.from({ length: 300 }, (_, index) => index + 1);
  const kill = (call: string) => (n: number) => `${call}:signal=SIGKILL:when=${n}`;
  return [
    ...(IS_LONG ? all : [1, 2, ...sampled(60)]).map(kill('fsync')),
    ...(IS_LONG ? all : [1, 2, ...sampled(150)]).map(kill('pwrite64')),
    ...[1, 2].map(kill('ftruncate')),
    ...[1, 2].map(kill('unlink')),
    ...[1].map(kill('rename')),
  ];
}

/** Waits for the injected end, or else has `stop` end the life, in which the injection may still strike. */
async function endOfLife(hasEnded: () => boolean, stop: () => Promise<unknown>): Promise<void> {
  await waitFor('the kill', hasEnded, LIFE_MS).catch(() => undefined);
  // Being killed while it stops is one of the cases.
  if (!hasEnded()) await stop().catch(() => undefined);
}

testWhere('strace')(
  '1 edge killed at a syscall: nothing obligated is lost, and every start finds the file sound',
  async () => {
    const scene = await FaultScene.create({ edge: { rates: RATES } });
    await scene.hub.open();
    let kills = 0;
    for (const injection of sweep(5)) {
      await scene.edge.start({ prefix: straced(injection) });
      const { process } = scene.edge;
      await endOfLife(
        () => process.hasEnded,
        () => scene.edge.stop(100),
      );
      await process.ended();
      if (process.wasKilled) kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(LEAST_KILLS);
    const { tookMs } = await scene.edge.open();
    expect(tookMs).toBeLessThan(OPEN_MS);
    await scene.recovers();
    await scene.verdict();
  },
);

testWhere('strace')(
  '2 hub killed at a syscall: what it acknowledged is stored, nothing twice',
  async () => {
    const scene = await FaultScene.create({ edge: { rates: RATES } });
    await scene.edge.open();
    const subscriber = new RecordingSubscriber(() => scene.hub.url, scene.hub.viewerToken);
    let kills = 0;
    for (const injection of sweep(4)) {
      await scene.hub.start({ prefix: straced(injection) });
      const { process } = scene.hub;
      await endOfLife(
        () => process.hasEnded,
        () => scene.hub.stop(),
      );
      await process.ended();
      if (process.wasKilled) kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(LEAST_KILLS);
    await scene.hub.open();
    await scene.recovers();
    const record = await scene.verdict();
    await subscriber.stop();
    expectSawAll(record, subscriber.seen);
  },
);

testWhere('strace')(
  '2 hub killed between commit and acknowledgement: the same batch comes again and is stored once',
  async () => {
    // Its main thread sends each frame by one write or writev; the n-th of a life is never sent, whatever it says:
    // greeting, identification, or an acknowledgement whose commit is on disk.
    const scene = await FaultScene.create({ edge: { rates: { alert: 50, detection: 50 } } });
    await scene.edge.open();
    const most = IS_LONG ? 40 : 8;
    for (let n = 1; n <= most; n++) {
      await scene.hub.start({ prefix: straced(`writev:signal=SIGKILL:when=${n}`) });
      await waitFor('the kill', () => scene.hub.process.hasEnded);
    }
    await scene.hub.open();
    await scene.recovers();
    const record = await scene.verdict();
    expect(record.events.length).toBeGreaterThan(50);
  },
);
