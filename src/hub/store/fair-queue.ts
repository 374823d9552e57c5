import type { WriteCall } from './requests.ts';

/**
 * Writes that wait for their commit. Each client's leave in the order they came in; between clients they take
 * turns, so that one which delivers a lot does not hold the others up.
 */
export class FairQueue<Call extends WriteCall> {
  /** In the order of their turns. */
  readonly #byClient = new Map<string, Call[]>();
  #messages = 0;

  get messages(): number {
    return this.#messages;
  }

  get isEmpty(): boolean {
    return this.#byClient.size === 0;
  }

  push(call: Call): void {
    const client = clientOf(call);
    const own = this.#byClient.get(client);
    if (own === undefined) this.#byClient.set(client, [call]);
    else own.push(call);
    this.#messages += messageCount(call);
  }

  /** The calls of the next transaction: at least one, then as long as they hold no more than so many messages. */
  take(maxMessages: number): Call[] {
    const group: Call[] = [];
    let messages = 0;
    // Visits entries again that are set anew behind the present one.
    for (const [client, own] of this.#byClient) {
      const [call] = own;
      if (call === undefined) continue;
      const count = messageCount(call);
      if (group.length > 0 && messages + count > maxMessages) break;
      messages += count;
      group.push(call);
      own.shift();
      this.#byClient.delete(client);
      if (own.length > 0) this.#byClient.set(client, own);
    }
    this.#messages -= messages;
    return group;
  }
}

function clientOf(call: WriteCall): string {
  if (call.op === 'store') return call.batch.clientId;
  // No client has this name.
  if (call.op === 'probe') return '';
  return call.op === 'identify' ? call.client.clientId : call.use.clientId;
}

function messageCount(call: WriteCall): number {
  return call.op === 'store' ? call.batch.items.length : 1;
}
