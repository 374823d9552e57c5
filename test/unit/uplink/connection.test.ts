import { describe, expect, test } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionState,
  transition,
} from '../../../src/uplink/link/connection.ts';

const stateAfter = (...events: ConnectionEvent[]): ConnectionState | null =>
  events.reduce<ConnectionState | null>(
    (state, event) => state && transition(state, event),
    'disconnected',
  );

describe('connection', () => {
  test('goes through all its states', () => {
    expect(stateAfter('dial')).toBe('connecting');
    expect(stateAfter('dial', 'opened')).toBe('connected');
    expect(stateAfter('dial', 'opened', 'identified')).toBe('authenticated');
    expect(stateAfter('dial', 'opened', 'identified', 'closed')).toBe('disconnected');
  });

  test('can end in every state and begin anew', () => {
    expect(stateAfter('dial', 'closed', 'dial', 'opened', 'closed', 'dial')).toBe('connecting');
  });

  test.each<ConnectionEvent[]>([
    ['opened'],
    ['closed'],
    ['dial', 'dial'],
    ['dial', 'identified'],
    ['dial', 'opened', 'opened'],
    ['dial', 'opened', 'identified', 'identified'],
  ])('knows what cannot happen', (...events) => {
    expect(stateAfter(...events)).toBeNull();
  });
});
