import type { ReactElement } from 'react';

const PATHS = {
  live: 'M3 7a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM16 10l5-3v10l-5-3',
  events: 'M4 6h16M4 12h16M4 18h10',
  alerts: 'M12 4 2.5 20h19zM12 10v4M12 17.2v.3',
  people:
    'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-7 7-7s7 3 7 7M17 11a3 3 0 1 0-1-5.8M18 14c2.4.6 4 3 4 7',
  zones: 'M4 8 12 3l8 6-3 11H7zM4 8h.01M12 3h.01M20 9h.01M17 20h.01M7 20h.01',
  rules: 'M5 4h14v16H5zM8 9l2 2 3-3M8 15h8',
  system: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  logout: 'M10 4H5v16h5M14 8l4 4-4 4M18 12H9',
  close: 'M6 6l12 12M18 6 6 18',
  back: 'M15 5l-7 7 7 7',
  check: 'M4 12.5 9.5 18 20 6.5',
  plus: 'M12 5v14M5 12h14',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  undo: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 0 8',
  play: 'M8 5v14l11-7z',
  stop: 'M7 7h10v10H7z',
  theme: 'M12 3a9 9 0 1 0 9 9 7 7 0 0 1-9-9z',
  sound: 'M5 9v6h4l5 4V5L9 9zM17 9a4 4 0 0 1 0 6',
} as const;

export type IconName = keyof typeof PATHS;

/** Drawn beside words: it says nothing by itself. */
export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
