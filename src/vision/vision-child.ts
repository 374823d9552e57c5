import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { entryPoint } from '../system/entry-point.ts';
import { parentDeathGuard } from '../system/parent-death.ts';
import type { FromVision, ToVision } from './contract.ts';

export interface VisionChildEvents {
  onMessage: (message: FromVision) => void;
  /** A line on its standard output or error: native libraries write there. */
  onLine: (line: string) => void;
  /** Called once, after everything it said; `how` in words. */
  onEnd: (how: string) => void;
}

/**
 * Megabytes of garbage before the heap is searched. Read buffers count as heap though they are not, and with V8's
 * own idea of a small heap the search takes more time than the reading.
 */
const V8_OPTIONS = ['--initial-old-space-size=128'];

/** The vision process from outside. It dies with the daemon, however that ends. */
export class VisionChild {
  readonly #events: VisionChildEvents;
  #child: ChildProcess | null = null;
  #hasEnded = false;
  #shouldEnd = false;

  constructor(events: VisionChildEvents) {
    this.#events = events;
  }

  get pid(): number | null {
    return this.#hasEnded ? null : (this.#child?.pid ?? null);
  }

  /** @param first makes the first message that it gets, at the moment of sending */
  async start(first: () => ToVision): Promise<void> {
    this.#spawn(await parentDeathGuard());
    this.send(first());
  }

  /** @returns whether there is a process to get it: it may not have begun, or have ended, which `onEnd` tells */
  send(message: ToVision): boolean {
    if (!this.#child?.connected) return false;
    this.#child.send(message, () => {});
    return true;
  }

  /** Asks it to end. */
  stop(): void {
    this.#shouldEnd = true;
    this.send({ kind: 'stop' });
  }

  kill(): void {
    this.#shouldEnd = true;
    if (!this.#hasEnded) this.#child?.kill('SIGKILL');
  }

  #spawn(guard: readonly string[]): void {
    if (this.#shouldEnd) {
      this.#end('it was ended before it began');
      return;
    }
    const entry = entryPoint(import.meta.url, './vision-process.js');
    const [command = '', ...args] = [...guard, process.execPath, ...V8_OPTIONS, entry];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (message) => this.#events.onMessage(message as FromVision));
    child.on('error', (error) => this.#end(`it could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      const end = (): void => this.#end(endInWords(code, signal));
      // Its last words may still be on their way.
      if (child.connected) child.once('disconnect', end);
      else end();
    });
    for (const output of [child.stdout, child.stderr]) {
      if (output) createInterface({ input: output }).on('line', (line) => this.#hear(line));
    }
  }

  /** ONNX Runtime colours its lines. */
  #hear(line: string): void {
    const text = stripVTControlCharacters(line).trim();
    if (text !== '') this.#events.onLine(text);
  }

  #end(how: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#events.onEnd(how);
  }
}

function endInWords(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
}
