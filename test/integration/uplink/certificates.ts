import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/program.ts';

/** A certificate with its key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** An authority of its own, made with openssl; its files live as long as the test run. */
export class Authority {
  readonly #dir: string;
  #issued = 0;
  readonly own: Certificate;

  constructor(name: string) {
    this.#dir = temporaryFolder(`ca-${name}`);
    const file = (end: string) => join(this.#dir, `ca.${end}`);
    openssl([
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', `/CN=${name}`, '-days', '2', '-keyout', file('key'), '-out', file('pem')],
    ]);
    this.own = certificateAt(file('pem'), file('key'));
  }

  /** @param altName like `DNS:localhost` */
  issue(altName: string, days = 2, commonName?: string): Certificate {
    const name = `cert-${++this.#issued}`;
    const file = (end: string) => join(this.#dir, `${name}.${end}`);
    openssl([
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', `/CN=${commonName ?? name}`, '-keyout', file('key'), '-out', file('csr')],
    ]);
    writeFileSync(file('ext'), `subjectAltName=${altName}\n`);
    openssl([
      ...['x509', '-req', '-in', file('csr'), '-CA', this.own.certFile, '-CAkey'],
      ...[this.own.keyFile, '-CAcreateserial', '-days', String(days)],
      ...['-extfile', file('ext'), '-out', file('pem')],
    ]);
    return certificateAt(file('pem'), file('key'));
  }
}

/** The pin of a certificate, as the documentation tells how to make one. */
export function pinOf({ certFile }: Certificate): string {
  const command =
    'openssl x509 -in "$1" -pubkey -noout | openssl pkey -pubin -outform der | ' +
    'openssl dgst -sha256 -binary | base64';
  return execFileSync('sh', ['-c', command, 'sh', certFile], { encoding: 'utf8' }).trim();
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function certificateAt(certFile: string, keyFile: string): Certificate {
  return {
    cert: readFileSync(certFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    certFile,
    keyFile,
  };
}
