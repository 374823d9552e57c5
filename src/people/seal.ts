import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ApexError } from '../system/errors.ts';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts with AES-256-GCM under a random nonce: nonce, tag, ciphertext.
 * @param key 32 bytes
 * @param context what the bytes are and whose; the same is needed to open them, so that nothing can be moved to
 * another person's row
 */
export function seal(key: Buffer, plain: Uint8Array, context: readonly string[]): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(context));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** @throws ApexError PEOPLE_KEY_WRONG where the key or the context is another one, or the bytes were changed */
export function unseal(key: Buffer, sealed: Buffer, context: readonly string[]): Buffer {
  try {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(context)).setAuthTag(tag);
    const text = sealed.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(text), decipher.final()]);
  } catch (cause) {
    throw new ApexError('PEOPLE_KEY_WRONG', `${context[0]} cannot be decrypted with this key`, {
      cause,
    });
  }
}

function boundTo(context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(context));
}
