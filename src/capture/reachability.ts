import { connect } from 'node:net';
import type { Clock } from '../system/clock.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';

const CONNECT_LIMIT_MS = 2000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'rtsp:': 554, 'rtsps:': 322 };

const CAUSES: Readonly<Record<string, Diagnosis>> = {
  ECONNREFUSED: diagnosis('CAPTURE_REFUSED', 'soon'),
  EHOSTUNREACH: diagnosis('CAPTURE_NO_ROUTE', 'soon', 'no route to host'),
  ENETUNREACH: diagnosis('CAPTURE_NO_ROUTE', 'soon', 'network is unreachable'),
  EHOSTDOWN: diagnosis('CAPTURE_NO_ROUTE', 'soon', 'host is down'),
  EADDRNOTAVAIL: diagnosis('CAPTURE_NO_ROUTE', 'soon', 'address not available'),
  ENOTFOUND: diagnosis('CAPTURE_DNS', 'soon'),
  EAI_AGAIN: diagnosis('CAPTURE_DNS', 'soon'),
  ETIMEDOUT: diagnosis('CAPTURE_NO_ROUTE', 'soon', 'no answer to a connection attempt'),
};

/**
 * Why a camera cannot be reached, by a connection attempt of our own: ffmpeg says of an unreachable camera and
 * of one that keeps silent the same "Invalid data found". Null when the port answers.
 */
export function explainUnreachable(url: string, clock: Clock): Promise<Diagnosis | null> {
  if (!URL.canParse(url)) return Promise.resolve(null);
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? (DEFAULT_PORTS[protocol] ?? 554) : Number(port),
    });
    const limit = clock.setTimeout(() => finish('ETIMEDOUT'), CONNECT_LIMIT_MS);
    const finish = (code: string | undefined): void => {
      limit.cancel();
      socket.destroy();
      resolve(CAUSES[code ?? ''] ?? null);
    };
    socket.on('connect', () => finish(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code));
  });
}
