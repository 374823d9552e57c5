import { ApexError } from '../system/errors.ts';
import { redactText } from '../system/redact.ts';

/** Says what went wrong and what to do about it, for a person, and sets the exit status. */
export function exitWith(error: unknown): void {
  if (error instanceof ApexError) {
    console.error(redactText(`apex-edge: ${error.message} [${error.code}]`));
    console.error(redactText(`What to do: ${error.remedy}`));
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    console.error(redactText(`apex-edge: unexpected fault: ${text}`));
  }
  process.exitCode = 1;
}
