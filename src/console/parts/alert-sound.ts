import { useEffect, useState } from 'react';

const KEY = 'apex-sound';

/** Whether this browser is to be heard when an alert comes in; not unless somebody switches it on. */
function isSoundOn(): boolean {
  try {
    return localStorage.getItem(KEY) === 'on';
  } catch {
    return false;
  }
}

export function useSoundSwitch(): [boolean, (isOn: boolean) => void] {
  const [isOn, setOn] = useState(isSoundOn);
  const change = (next: boolean): void => {
    setOn(next);
    try {
      localStorage.setItem(KEY, next ? 'on' : 'off');
    } catch {
      // It holds for this page then.
    }
    // Browsers let a page be heard after somebody has touched it: this is the time to ask.
    if (next) beep(0.05);
  };
  return [isOn, change];
}

/** Is heard once for each newest alert. @param newest names it; null for none */
export function useAlertSound(newest: string | null): void {
  useEffect(() => {
    if (newest !== null && isSoundOn()) beep(0.2);
  }, [newest]);
}

let context: AudioContext | null = null;

/** Two short tones. @param volume 0..1 */
function beep(volume: number): void {
  context ??= new AudioContext();
  const { currentTime: now, destination } = context;
  for (const [index, hertz] of [880, 660].entries()) {
    const tone = context.createOscillator();
    const gain = context.createGain();
    tone.frequency.value = hertz;
    gain.gain.setValueAtTime(volume, now + index * 0.2);
    gain.gain.exponentialRampToValueAtTime(0.0001, now + index * 0.2 + 0.18);
    tone.connect(gain).connect(destination);
    tone.start(now + index * 0.2);
    tone.stop(now + index * 0.2 + 0.2);
  }
}
