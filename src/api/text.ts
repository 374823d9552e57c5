/** How quantities are written for a person. Pure. */

const UNITS: readonly { readonly s: number; readonly name: string }[] = [
  { s: 86_400, name: 'd' },
  { s: 3600, name: 'h' },
  { s: 60, name: 'min' },
];

/** Two digits at least, in the largest unit that allows it: 95 s, 12 min, 50 h, 3 d. */
export function duration(seconds: number): string {
  const unit = UNITS.find(({ s }) => seconds >= 2 * s);
  if (unit === undefined) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / unit.s)} ${unit.name}`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const power = Math.min(3, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${['B', 'KiB', 'MiB', 'GiB'][power]}`;
}

export function messages(count: number): string {
  return `${grouped(count)} ${count === 1 ? 'message' : 'messages'}`;
}

/** 12345 as 12,345. */
export function grouped(count: number): string {
  return count.toLocaleString('en');
}

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly align?: 'right';
}

/** Columns as wide as their longest cell. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ of }) => of(row))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((line) => line[index]?.length ?? 0)),
  );
  return cells.map((line) =>
    line
      .map((cell, index) =>
        columns[index]?.align === 'right'
          ? cell.padStart(widths[index] ?? 0)
          : cell.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
