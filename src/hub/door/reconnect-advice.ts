const BASE_MS = 100;
/** With 300 clients and 750 ms the slowest hundredth took 1.1 s from the hub's start to its first acknowledgement. */
const MIN_CAP_MS = 500;
const MAX_CAP_MS = 30_000;
/** New connections that the hub takes in a second without delaying the ones it has. */
const ACCEPTS_PER_S = 1000;

/**
 * Backoff that clients are told to use, sized so that the whole fleet comes back as fast as it can be accepted:
 * a constant cap of 30 s would leave a small fleet waiting for no reason.
 */
export function reconnectAdvice(connections: number): { base_ms: number; cap_ms: number } {
  const spreadMs = (1000 * connections) / ACCEPTS_PER_S;
  return { base_ms: BASE_MS, cap_ms: Math.min(MAX_CAP_MS, Math.max(MIN_CAP_MS, spreadMs)) };
}
