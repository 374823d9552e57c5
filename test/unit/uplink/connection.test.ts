import { describe, expect, test } from 'vitest';
import {
  type ConnectionEvent,
  type ConnectionState,
  transition,
} from '../../../src/uplink/connection.ts';

const after = (...events: ConnectionEvent[]): ConnectionState | null =>
  events.reduce<ConnectionState | null>(
    (state, event) => state && transition(state, event),
    'disconnected',
  );

describe('connection', () => {
  test('goes through all its states', () => {
    expect(after('dial')).toBe('connecting');
    expect(after('dial', 'opened')).toBe('connected');
    expect(after('dial', 'opened', 'identified')).toBe('authenticated');
    expect(after('dial', 'opened', 'identified', 'closed')).toBe('disconnected');
  });

  test('can end in every state and begin anew', () => {
    expect(after('dial', 'closed', 'dial', 'opened', 'closed', 'dial')).toBe('connecting');
  });

  test.each<ConnectionEvent[]>([
    ['opened'],
    ['closed'],
    ['dial', 'dial'],
    ['dial', 'identified'],
    ['dial', 'opened', 'opened'],
    ['dial', 'opened', 'identified', 'identified'],
  ])('knows what cannot happen', (...events) => {
    expect(after(...events)).toBeNull();
  });
});
