import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { chooseDecoder } from '../../../src/capture/decoder-ladder.ts';
import { FfmpegProcess } from '../../../src/capture/ffmpeg-process.ts';
import { type Clock, systemClock } from '../../../src/system/clock.ts';
import { CaptureUnderTest, childProcesses } from '../../support/capture.ts';

const ENDLESS = ['-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc', '-f', 'null', '-'];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'apex-ffmpeg-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** An ffmpeg of our own making: a shell script in front of the real one, whose arguments are in `$@`. */
function wrappedFfmpeg(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/bash\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The decoder `h264_nvmpi` of a Jetson, played by the software decoder, with `extra` in its filters. */
function nvmpiFfmpeg(name: string, extra = ''): string {
  return wrappedFfmpeg(
    name,
    `args=()
hardware=false
while [ $# -gt 0 ]; do
  case "$1" in
    -c:v) case "$2" in *_nvmpi) hardware=true;; *) args+=("$1" "$2");; esac; shift;;
    -resize) shift;;
    -filter_complex) if $hardware; then args+=("$1" "\${2/\\[0:v:0]/[0:v:0]${extra}}"); else args+=("$1" "$2"); fi; shift;;
    *) args+=("$1");;
  esac
  shift
done
exec ffmpeg "\${args[@]}"`,
  );
}

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 20 });
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a process', () => {
  test('dies with the process that started it, however that dies', async () => {
    const ffmpegProcess = new URL('../../../dist/capture/ffmpeg-process.js', import.meta.url);
    const clock = new URL('../../../dist/system/clock.js', import.meta.url);
    const program = `
      import { FfmpegProcess } from '${ffmpegProcess}';
      import { systemClock } from '${clock}';
      const args = ${JSON.stringify(ENDLESS)};
      const start = { path: 'ffmpeg', args, stdin: null, pictures: false, onLine() {} };
      const child = await FfmpegProcess.start(start, systemClock);
      console.log(child.pid);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program]);
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (text: Buffer) => resolve(Number(text)));
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => expect(isAlive(pid)).toBe(false));
  });

  test('that ignores SIGTERM is killed with its whole group, and reaped', async () => {
    const deaf = wrappedFfmpeg('deaf', `trap '' TERM; ffmpeg ${ENDLESS.join(' ')} & wait; wait`);
    const start = { path: deaf, args: [], stdin: null, pictures: false, onLine() {} };
    const child = await FfmpegProcess.start(start, systemClock);
    await until(() => expect(childProcesses().length).toBeGreaterThanOrEqual(2));
    const end = await child.stop();
    expect(end.signal).toBe('SIGKILL');
    expect(childProcesses().filter(({ commandLine }) => commandLine.includes('testsrc'))).toEqual(
      [],
    );
  });

  test('that cannot be started ends with the reason', async () => {
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    const start = { path: '/nonexistent/ffmpeg', args: [], stdin: null, pictures: false, onLine };
    const child = await FfmpegProcess.start(start, systemClock);
    const end = await child.ended;
    expect(end.error !== null || lines.join('\n').includes('No such file')).toBe(true);
  });

  test('leaves no zombie behind', async () => {
    const args = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=d=0.1', '-f', 'null', '-'];
    for (let i = 0; i < 5; i++) {
      const start = { path: 'ffmpeg', args, stdin: null, pictures: false, onLine() {} };
      await (await FfmpegProcess.start(start, systemClock)).ended;
    }
    expect(childProcesses().filter(({ state }) => state === 'Z')).toEqual([]);
  });
});

describe('decoder ladder', () => {
  test('says why each better decoder was refused', async () => {
    const choice = await chooseDecoder('auto', 'h264', 'ffmpeg', systemClock);
    const hasHardware = choice.decoder !== 'software';
    const expected = ['nvmpi', 'nvv4l2dec', 'cuda'].slice(0, choice.refused.length);
    expect(choice.refused.map(({ decoder }) => decoder)).toEqual(expected);
    expect(choice.refused.length === 3 || hasHardware).toBe(true);
    for (const { reason } of choice.refused) expect(reason).toMatch(/\w{4}/);
  });

  for (const codec of ['h264', 'hevc']) {
    test(`takes the first decoder that decodes ${codec} to the right pictures`, async () => {
      const choice = await chooseDecoder('auto', codec, nvmpiFfmpeg('good'), systemClock);
      expect(choice).toEqual({ decoder: 'nvmpi', refused: [] });
    });
  }

  test('refuses a decoder of wrong pictures', async () => {
    const path = nvmpiFfmpeg('negative', 'negate,');
    const choice = await chooseDecoder('nvmpi', 'h264', path, systemClock);
    expect(choice.decoder).toBe('software');
    expect(choice.refused[0]?.reason).toMatch(/pictures are wrong/);
  });

  test('refuses a decoder of too few pictures', async () => {
    const path = nvmpiFfmpeg('short', 'trim=end_frame=4,');
    const choice = await chooseDecoder('nvmpi', 'h264', path, systemClock);
    expect(choice.refused[0]?.reason).toBe('it delivered 61440 of 153600 bytes');
  });

  test('gives up on a decoder that hangs', async () => {
    const hanging = wrappedFfmpeg('hanging', 'exec sleep 1000');
    const impatient: Clock = {
      ...systemClock,
      setTimeout: (callback, delayMs) => systemClock.setTimeout(callback, delayMs / 100),
    };
    const choice = await chooseDecoder('nvmpi', 'h264', hanging, impatient);
    expect(choice.refused[0]?.reason).toMatch(/did not finish/);
  });

  test('a decoder that keeps failing is replaced by software, which is said', async () => {
    const clip = join(folder, 'clip.mp4');
    const pattern = ['-f', 'lavfi', '-i', 'testsrc2=s=320x192:r=10:d=1'];
    execFileSync('ffmpeg', ['-v', 'error', ...pattern, '-c:v', 'libx264', clip]);
    // Decodes the probe clip, and fails on everything else.
    const path = wrappedFfmpeg(
      'fragile',
      `case "$*" in
  *gbrp*_nvmpi*|*_nvmpi*gbrp*) echo "[error] nvmpi: decoder error" >&2; exit 1;;
  *_nvmpi*) exec ${nvmpiFfmpeg('behind')} "$@";;
  *) exec ffmpeg "$@";;
esac`,
    );
    const source = { kind: 'file', paths: [clip], pace: 'max', loop: false } as const;
    const running = new CaptureUnderTest(source, { decoder: 'auto' }, { ffmpegPath: path });
    await until(() => expect(running.capture.status.state).toBe('finished'));
    expect(running.statuses.map(({ fault }) => fault?.code)).toContain('CAPTURE_DECODER_FAILED');
    expect(running.capture.status.decoder).toEqual({
      decoder: 'software',
      refused: [{ decoder: 'nvmpi', reason: expect.stringMatching(/failed 3 times.*nvmpi/) }],
    });
    await running.capture.stop();
  });
});

test('setpriv is there: without it ffmpeg could outlive a killed parent', async () => {
  const found = await new Promise((resolve) => {
    execFile('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], (error) => resolve(error === null));
  });
  expect(found).toBe(true);
});
