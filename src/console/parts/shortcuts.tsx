import { type ReactElement, useEffect, useState } from 'react';
import { Dialog } from './dialog.tsx';

const SHORTCUTS: readonly (readonly [keys: string, does: string])[] = [
  ['?', 'This list'],
  ['j, k', 'Events: the next one, the one before'],
  ['r', 'Events: reviewed'],
  ['f', 'Events: false positive, or right after all'],
  ['x', 'Events: select'],
  ['Shift+R', 'Events: all selected are reviewed'],
  ['Arrow keys', 'Zones: move the point that has the focus, with Shift finer'],
  ['Insert, Delete', 'Zones: a point more behind it, or it less'],
];

/** What can be done by keyboard, shown by `?` on every page. */
export function Shortcuts(): ReactElement | null {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKey = ({ key, target }: KeyboardEvent): void => {
      const isTyping =
        target instanceof HTMLElement && target.closest('input, select, textarea') !== null;
      if (key === '?' && !isTyping) setOpen(true);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  if (!isOpen) return null;
  return (
    <Dialog title="Keys" onClose={() => setOpen(false)}>
      <dl className="facts">
        {SHORTCUTS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
