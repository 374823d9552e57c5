import { createHash, randomBytes } from 'node:crypto';
import { Command } from 'commander';

export function tokenCommand(): Command {
  return new Command('token')
    .description(
      'make a new secret token for an edge or a viewer; it is shown once and stored nowhere',
    )
    .action(() => {
      const token = randomBytes(32).toString('base64url');
      const hash = createHash('sha256').update(token).digest('hex');
      console.log(`token (give it to the client, keep it secret):   ${token}`);
      console.log(`token_sha256 (for hub.tokens in the hub's file): ${hash}`);
    });
}
