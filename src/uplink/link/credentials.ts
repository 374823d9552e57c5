import type { Logger } from '../../system/logger.ts';
import { checkTls, type TlsOptions } from './tls.ts';

/** Read anew for every connection, so that a renewed token or certificate needs no restart. */
export interface CredentialSources {
  readonly token: () => string;
  readonly tls?: () => TlsOptions;
}

export interface Credential {
  readonly token: string;
  readonly tls: TlsOptions;
}

/** The token and certificates in use: the newest ones that can be read. */
export class Credentials {
  readonly #sources: CredentialSources;
  readonly #log: Logger;
  #inUse: Credential;
  #lastFault = '';

  /** @throws ApexError UPLINK_TLS, and what the sources throw */
  constructor(sources: CredentialSources, log: Logger) {
    this.#sources = sources;
    this.#log = log;
    this.#inUse = this.#read();
  }

  /** For the next connection. */
  current(): Credential {
    this.#inUse = this.#newest();
    return this.#inUse;
  }

  /** Whether `current` would now give others than before. */
  haveChanged(): boolean {
    return textOf(this.#newest()) !== textOf(this.#inUse);
  }

  /** What is being replaced may be missing or half written for a moment: the old ones are used then. */
  #newest(): Credential {
    try {
      const newest = this.#read();
      this.#lastFault = '';
      return newest;
    } catch (error) {
      const fault = String(error);
      if (fault !== this.#lastFault) this.#log.warn({ err: error }, 'credentials not read again');
      this.#lastFault = fault;
      return this.#inUse;
    }
  }

  #read(): Credential {
    const tls = this.#sources.tls?.() ?? {};
    checkTls(tls);
    return { token: this.#sources.token(), tls };
  }
}

function textOf({ token, tls }: Credential): string {
  const { ca = '', cert = '', key = '', pins = [] } = tls;
  return JSON.stringify([token, String(ca), String(cert), String(key), pins]);
}
