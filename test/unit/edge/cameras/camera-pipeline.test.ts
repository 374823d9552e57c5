import { describe, expect, test } from 'vitest';
import type { CameraSpec } from '../../../../src/capture/contract.ts';
import { configSchema } from '../../../../src/config/schema.ts';
import {
  CameraPipeline,
  type CameraPipelineDeps,
} from '../../../../src/edge/cameras/camera-pipeline.ts';
import { planRules } from '../../../../src/edge/cameras/camera-rules-plan.ts';
import type { CameraRules } from '../../../../src/events/rules/camera-rules.ts';
import type { AlertTriggered, ObjectEvent } from '../../../../src/protocol/payloads.ts';
import type { OutgoingMessage } from '../../../../src/store/store.ts';
import { silentLogger } from '../../../../src/system/logger.ts';
import type { FrameResult } from '../../../../src/vision/contract.ts';

/** A rule that anybody in view is an alert for, and a zone that is the whole picture. */
const CONFIG = {
  cameras: {
    gate: {
      path: '/clip.mp4',
      zones: { all: { coordinates: '0,0,1,0,1,1,0,1', inertia_s: 0 } },
    },
  },
  rules: { anybody: { cooldown_s: 0 } },
};

const spec: CameraSpec = {
  id: 'gate',
  source: { kind: 'rtsp', url: 'rtsp://h/s', transport: 'tcp' },
  fps: 5,
  minScore: 0.4,
  labels: ['person', 'Car'],
  decoder: 'auto',
  analysed: null,
  snapshot: null,
  ring: null,
  stallTimeoutMs: 10_000,
  frozenTimeoutMs: 0,
};

function frame(frameId: number, label = 'person', x = 0.4): FrameResult {
  const monoMs = frameId * 200;
  const box = { x, y: 0.4, width: 0.1, height: 0.3 };
  const detections = [{ label, classId: 0, score: 0.9, box }];
  return {
    cameraId: 'gate',
    frameId,
    monoMs,
    wallMs: 1_000_000 + monoMs,
    detections,
    inferenceMs: 1,
    model: 'm',
  };
}

/** A store that takes what `isOpen` allows. */
function scene(rules: CameraRules | null = null) {
  const stored: ObjectEvent[] = [];
  /** Phases of events and the words of alerts, in the order in which the store took or refused them. */
  const told: unknown[] = [];
  const refused: unknown[] = [];
  const state = { isOpen: true };
  const take = (what: unknown): void => {
    (state.isOpen ? told : refused).push(what);
    if (!state.isOpen) throw new Error('full');
  };
  const store = {
    enqueue: async ([message]: readonly OutgoingMessage[]) => {
      if (message?.type === 'alert_triggered') take((message.data as AlertTriggered).data.why);
    },
    recordEvent: async (event: ObjectEvent) => {
      take(event.phase);
      stored.push(event);
    },
  };
  const clock = { monotonicMs: () => 0, wallMs: () => 0, setTimeout: () => ({ cancel() {} }) };
  /** What the journal was told: phases of events and types of alerts. */
  const journaled: string[] = [];
  const journal = {
    event: ({ phase }: ObjectEvent) => void journaled.push(phase),
    alert: ({ type }: AlertTriggered) => void journaled.push(type),
    hasUnstoredAlerts: false,
  };
  const deps = {
    store,
    journal,
    live: { publish: () => undefined },
    pictures: { frame: () => undefined },
    vision: {},
    evidence: { snapshots: null, clipsOf: () => null },
    rulesFor: () => rules,
    facesFor: () => null,
    masksFor: () => [],
    clock,
    random: Math.random,
    log: silentLogger,
  };
  const pipeline = new CameraPipeline(spec, deps as unknown as CameraPipelineDeps);
  return { pipeline, stored, told, refused, journaled, state };
}

describe('CameraPipeline', () => {
  test('turns frames into an event, and ends it at shutdown', async () => {
    const { pipeline, stored } = scene();
    for (let id = 0; id < 5; id++) pipeline.frame(frame(id));
    expect(pipeline.view(0, null)).toMatchObject({
      objects: { person: 1 },
      events_started: 1,
      events_ended: 0,
      frames_analysed: 5,
    });
    await pipeline.shutdown();
    expect(stored.map(({ phase }) => phase)).toEqual(['new', 'end']);
    expect(stored[1]).toMatchObject({ end_reason: 'shutdown' });
    expect(pipeline.view(0, null)).toMatchObject({ objects: {}, events_ended: 1 });
  });

  test('stores alerts of its rules behind the events that they name, again where the store refused', async () => {
    const { pipeline, stored, told, refused, journaled, state } = scene(
      planRules(configSchema.parse(CONFIG), 'gate'),
    );
    for (let id = 0; id < 3; id++) pipeline.frame(frame(id));
    await expect.poll(() => told).toEqual(['new', 'person in view']);
    state.isOpen = false;
    // Elsewhere: who is in the same place again after a gap is not told of again.
    for (let id = 20; id < 30; id++) pipeline.frame(frame(id, 'person', 0.7));
    await expect.poll(() => refused.length).toBeGreaterThanOrEqual(3);
    expect(pipeline.hasUnstoredAlerts).toBe(true);
    state.isOpen = true;
    pipeline.tick(0);
    await expect.poll(() => told.slice(2).sort()).toEqual(['end', 'new', 'person in view']);
    expect([pipeline.hasUnstored, pipeline.hasUnstoredAlerts]).toEqual([false, false]);
    expect(pipeline.view(0, null)).toMatchObject({ alerts: 2, zones: { all: 1 } });
    expect(stored.map(({ entered_zones }) => entered_zones)).toEqual([['all'], ['all'], ['all']]);
    // The journal offers by itself what it could not write.
    const [one, other] = journaled.filter((what) => !['new', 'end'].includes(what));
    expect(journaled.filter((what) => ['new', 'end'].includes(what))).toEqual([
      'new',
      'end',
      'new',
    ]);
    expect([one, other]).toEqual([expect.any(String), one]);
  });

  test('looks only for the labels of its camera', async () => {
    const { pipeline, stored } = scene();
    for (let id = 0; id < 5; id++) pipeline.frame(frame(id, 'dog'));
    await pipeline.shutdown();
    expect(stored).toEqual([]);
    expect(pipeline.unknownLabels(['person', 'car'])).toEqual(['Car']);
  });

  test('offers an event again that the store would not take', async () => {
    const { pipeline, stored, state } = scene();
    state.isOpen = false;
    for (let id = 0; id < 5; id++) pipeline.frame(frame(id));
    await expect.poll(() => stored.length).toBe(0);
    state.isOpen = true;
    pipeline.tick(0);
    await expect.poll(() => stored.map(({ phase }) => phase)).toEqual(['new']);
    pipeline.tick(100);
    await pipeline.shutdown();
    expect(stored.map(({ phase }) => phase)).toEqual(['new', 'end']);
  });

  test('of an event refused more than once the newest message is offered again, and none after a stored one', async () => {
    const { pipeline, stored, state } = scene();
    state.isOpen = false;
    for (let id = 0; id < 5; id++) pipeline.frame(frame(id));
    await pipeline.shutdown();
    state.isOpen = true;
    pipeline.tick(0);
    await pipeline.shutdown();
    pipeline.tick(100);
    await pipeline.shutdown();
    expect(stored.map(({ phase }) => phase)).toEqual(['end']);
  });

  test('has something unstored for as long as the store has not taken it, however often it is offered', async () => {
    const { pipeline, stored, state } = scene();
    state.isOpen = false;
    for (let id = 0; id < 5; id++) pipeline.frame(frame(id));
    await pipeline.shutdown();
    for (let tick = 0; tick < 3; tick++) {
      pipeline.tick(tick);
      expect(pipeline.hasUnstored).toBe(true);
      await pipeline.shutdown();
      expect(pipeline.hasUnstored).toBe(true);
    }
    state.isOpen = true;
    await pipeline.shutdown();
    expect(stored.map(({ phase }) => phase)).toEqual(['end']);
    expect(pipeline.hasUnstored).toBe(false);
  });

  test('what was in view has ended when the camera is given up', async () => {
    const { pipeline, stored } = scene();
    for (let id = 0; id < 5; id++) pipeline.frame(frame(id));
    const fault = { code: 'X', message: 'x', remedy: 'y' };
    pipeline.statusChanged({ ...pipeline.status, state: 'failed', fault });
    await pipeline.shutdown();
    expect(stored.at(-1)).toMatchObject({ phase: 'end', end_reason: 'camera_lost' });
  });
});
