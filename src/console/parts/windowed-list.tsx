import {
  type ReactElement,
  type ReactNode,
  type UIEvent,
  useEffect,
  useRef,
  useState,
} from 'react';

export interface WindowedListProps<Item> {
  readonly items: readonly Item[];
  /** Of every row, pixels. */
  readonly rowHeight: number;
  readonly keyOf: (item: Item) => string;
  readonly children: (item: Item, index: number) => ReactNode;
  /** Which row has to be in sight. */
  readonly selected: number;
  /** The end is near. */
  readonly onEnd: () => void;
  readonly label: string;
}

/** Rows outside of the window that are there all the same. */
const SPARE = 8;

/** A list of which only what is in sight is built, so that a hundred thousand rows are as quick as ten. */
export function WindowedList<Item>(props: WindowedListProps<Item>): ReactElement {
  const { items, rowHeight, keyOf, children, selected, onEnd, label } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const height = box.current?.clientHeight ?? 800;
  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const last = Math.min(items.length, Math.ceil((top + height) / rowHeight) + SPARE);
  const isAtEnd = last >= items.length;
  useEffect(() => {
    if (isAtEnd) onEnd();
  }, [isAtEnd, onEnd]);
  useEffect(() => {
    const element = box.current;
    if (element === null || selected < 0) return;
    const rowTop = selected * rowHeight;
    if (rowTop < element.scrollTop) element.scrollTop = rowTop;
    else if (rowTop + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = rowTop + rowHeight - element.clientHeight;
  }, [selected, rowHeight]);
  const onScroll = (event: UIEvent<HTMLDivElement>): void => setTop(event.currentTarget.scrollTop);
  return (
    <div ref={box} className="windowed" onScroll={onScroll}>
      <ul aria-label={label} style={{ height: items.length * rowHeight }}>
        {items.slice(first, last).map((item, index) => (
          <li key={keyOf(item)} style={{ height: rowHeight, top: (first + index) * rowHeight }}>
            {children(item, first + index)}
          </li>
        ))}
      </ul>
    </div>
  );
}
