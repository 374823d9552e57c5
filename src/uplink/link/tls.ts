import { createHash, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { ApexError, type ErrorCode } from '../../system/errors.ts';
import { pemFault } from '../../system/pem.ts';

/** Of `wss://`: own authorities, client certificate with its key (PEM), and the only public keys to accept. */
export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Base64 of the SHA-256 of a server's SubjectPublicKeyInfo (RFC 7469, 2.4). */
  readonly pins?: readonly string[];
}

/** Finds unusable certificates and keys before they are used. @throws ApexError UPLINK_TLS */
export function checkTls(options: TlsOptions): void {
  const fault = pemFault(options);
  if (fault !== null)
    throw new ApexError('UPLINK_TLS', `certificate or key of the uplink: ${fault}`);
}

/** The options of `tls.connect`. */
export function connectOptions({ ca, cert, key, pins = [] }: TlsOptions): object {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    // Called once the chain is found good: pins come on top of authorities and names, not instead of them.
    ...(pins.length > 0 && {
      checkServerIdentity: (host: string, certificate: PeerCertificate) =>
        checkServerIdentity(host, certificate) ?? pinFault(certificate, pins),
    }),
  };
}

function pinFault({ raw }: PeerCertificate, pins: readonly string[]): Error | undefined {
  const pin = publicKeyPin(raw);
  if (pins.includes(pin)) return undefined;
  const fault = new Error(`the hub's public key has the pin ${pin}`);
  return Object.assign(fault, { code: 'UPLINK_TLS_PIN' });
}

/** The pin of a certificate's public key. @param der the certificate */
function publicKeyPin(der: Buffer): string {
  const spki = new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}

const EXPIRED: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Names of OpenSSL's verification results, as Node passes them on (X509_V_ERR_ without its prefix). */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
]);

/** Alerts by which a server says that it wants another client certificate, or one at all. */
const CLIENT_ALERT =
  /_ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/;

/** The code of an error that says who the other side is, or that it does not want this one; null for all others. */
export function tlsFault(error: Error): ErrorCode | null {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'UPLINK_TLS_PIN') return 'UPLINK_TLS_PIN';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'UPLINK_TLS_NAME';
  if (EXPIRED.has(code)) return 'UPLINK_TLS_EXPIRED';
  if (UNTRUSTED.has(code)) return 'UPLINK_TLS_UNTRUSTED';
  return CLIENT_ALERT.test(code) ? 'UPLINK_TLS_CLIENT' : null;
}
