import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

/** Certificates and a key, PEM. */
export interface PemFiles {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

/** Code of what makes certificates or a key unusable, or the key another one's; null where they are good. */
export function pemFault({ ca, cert, key }: PemFiles): string | null {
  try {
    createSecureContext({ ca, cert, key });
    // That takes a file without a certificate, or with half of one, for an empty list of authorities.
    if (ca !== undefined) for (const block of blocksOf(String(ca))) new X509Certificate(block);
    return null;
  } catch (error) {
    // The message may quote the key.
    return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
  }
}

/** At least one, so that there is something to be found wrong. What stands before the first is a comment. */
function blocksOf(pem: string): string[] {
  const blocks = pem.split(/(?=-----BEGIN)/).filter((block) => block.startsWith('-----BEGIN'));
  return blocks.length > 0 ? blocks : [pem];
}
