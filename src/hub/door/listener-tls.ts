import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ApexError } from '../../system/errors.ts';
import type { Logger } from '../../system/logger.ts';
import { type PemFiles, pemFault } from '../../system/pem.ts';

/** TLS of the hub's port. */
export interface ListenerTls {
  /** Reads certificate, key and the authorities of client certificates as they are now. */
  readonly read: () => PemFiles;
  /** `accept`: a client may show a certificate; `require`: every client has to, browsers as well. */
  readonly clientCertificates: 'off' | 'accept' | 'require';
}

/** Certificate and key in use: the newest ones that can be read. */
export class ListenerCertificate {
  readonly #read: () => PemFiles;
  readonly #log: Logger;
  #inUse: PemFiles;
  #lastFault = '';

  /** @throws ApexError HUB_TLS, and what reading throws */
  constructor({ read }: ListenerTls, log: Logger) {
    this.#read = read;
    this.#log = log;
    this.#inUse = this.#checked();
  }

  get inUse(): PemFiles {
    return this.#inUse;
  }

  /** Whether there are others than before. What is being replaced may be half written: the old ones stay then. */
  refresh(): boolean {
    try {
      const newest = this.#checked();
      this.#lastFault = '';
      if (textOf(newest) === textOf(this.#inUse)) return false;
      this.#inUse = newest;
      this.#log.info({}, 'certificate of the hub renewed');
      return true;
    } catch (error) {
      const fault = String(error);
      if (fault !== this.#lastFault) this.#log.warn({ err: error }, 'certificate not read again');
      this.#lastFault = fault;
      return false;
    }
  }

  #checked(): PemFiles {
    const files = this.#read();
    const fault = pemFault(files);
    if (fault === null) return files;
    throw new ApexError('HUB_TLS', `certificate or key of the hub: ${fault}`);
  }
}

function textOf({ ca = '', cert = '', key = '' }: PemFiles): string {
  return JSON.stringify([String(ca), String(cert), String(key)]);
}

export type ShownCertificate =
  | { readonly kind: 'none' }
  /** Of no authority that the hub knows. */
  | { readonly kind: 'untrusted' }
  /** With its common name, which has to be the name of the token. */
  | { readonly kind: 'trusted'; readonly name: string };

/** The certificate that a client has shown below HTTP. */
export function certificateOf(socket: Socket): ShownCertificate {
  if (!(socket instanceof TLSSocket)) return { kind: 'none' };
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return { kind: 'none' };
  if (!socket.authorized) return { kind: 'untrusted' };
  const { CN: name } = subject as { CN?: string | string[] };
  return { kind: 'trusted', name: typeof name === 'string' ? name : '' };
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/**
 * Tokens on a network that others read are no secrets.
 * @throws ApexError HUB_PLAINTEXT
 */
export function checkPlaintext(host: string, isAllowed: boolean): void {
  if (isAllowed || LOOPBACK.test(host)) return;
  throw new ApexError('HUB_PLAINTEXT', `the hub would listen on ${host} without TLS`);
}
