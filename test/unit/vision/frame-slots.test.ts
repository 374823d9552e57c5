import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameSlots } from '../../../src/vision/frame-slots.ts';

describe('FrameSlots', () => {
  test('newest: a frame that nobody took is replaced', () => {
    const slots = new FrameSlots(3, 'newest');
    const first = slots.fill();
    expect(slots.complete()).toEqual({ slot: first, replaced: null });
    const second = slots.fill();
    expect(second).not.toBe(first);
    expect(slots.complete()).toEqual({ slot: second, replaced: first });
    expect(slots.take()).toBe(second);
    expect(slots.take()).toBeNull();
  });

  test('every: frames are taken in order, and room runs out', () => {
    const slots = new FrameSlots(3, 'every');
    const filled = [0, 1, 2].map(() => {
      slots.fill();
      return slots.complete().slot;
    });
    expect(slots.hasRoom).toBe(false);
    expect(() => slots.fill()).toThrow(RangeError);
    expect(slots.take()).toBe(filled[0]);
    expect(slots.hasRoom).toBe(false);
    slots.release(filled[0]!);
    expect(slots.hasRoom).toBe(true);
    expect([slots.take(), slots.take(), slots.take()]).toEqual([filled[1], filled[2], null]);
  });

  test('the slot being filled stays the same until it is complete or abandoned', () => {
    const slots = new FrameSlots(2, 'newest');
    const slot = slots.fill();
    expect(slots.fill()).toBe(slot);
    slots.abandon();
    expect(() => slots.complete()).toThrow(RangeError);
    expect(slots.hasReady).toBe(false);
  });

  test('only busy slots are released', () => {
    const slots = new FrameSlots(2, 'newest');
    slots.fill();
    const { slot } = slots.complete();
    expect(() => slots.release(slot)).toThrow(RangeError);
  });

  test('newest: with two more slots than readers there is always one to fill, and no slot has two owners', () => {
    const step = fc.constantFrom<Step>('deliver', 'take', 'release', 'abandon');
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, readers) => {
          const slots = new FrameSlots(readers + 2, 'newest');
          const busy: number[] = [];
          for (const each of steps) {
            carryOut(each, slots, busy, readers);
            expect(slots.hasRoom).toBe(true);
          }
        },
      ),
    );
  });
});

type Step = 'deliver' | 'take' | 'release' | 'abandon';

function carryOut(step: Step, slots: FrameSlots, busy: number[], readers: number): void {
  if (step === 'deliver' || step === 'abandon') {
    expect(busy).not.toContain(slots.fill());
    if (step === 'deliver') slots.complete();
    else slots.abandon();
  }
  if (step === 'take' && busy.length < readers) busy.push(...[slots.take() ?? []].flat());
  if (step === 'release' && busy.length > 0) slots.release(busy.shift()!);
}
