import { readFileSync } from 'node:fs';
import { CLIENT_TYPES, type ClientType } from '../../../src/protocol/session.ts';

/** Answers by `type client`, in the order of `COLUMNS`. */
export type PermissionTable = ReadonlyMap<string, readonly string[]>;

export const COLUMNS = ['all', 'none', 'other camera', 'other type', 'admin'] as const;
export type Column = (typeof COLUMNS)[number];

const VIEWERS = CLIENT_TYPES.filter((type) => type !== 'ai_engine');
const DOCUMENT = new URL('../../../docs/permissions.md', import.meta.url);

/** The table below a heading of docs/permissions.md. @throws Error where a row is not as the head says */
export function permissionTable(heading: string): PermissionTable {
  const text = readFileSync(DOCUMENT, 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  const lines = section?.split('\n').filter((line) => line.startsWith('|')) ?? [];
  const [head, , ...rows] = lines.map(cellsOf);
  if (head?.slice(1).join() !== ['client', ...COLUMNS].join())
    throw new Error(`no table below "${heading}"`);
  const table = new Map<string, readonly string[]>();
  for (const [type = '', clients = '', ...answers] of rows)
    for (const client of clientsOf(clients)) {
      const key = `${type.replaceAll('`', '')} ${client}`;
      if (table.has(key) || answers.length !== COLUMNS.length) throw new Error(`row ${key}`);
      table.set(key, answers);
    }
  return table;
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function clientsOf(cell: string): readonly ClientType[] {
  if (cell === 'viewers') return VIEWERS;
  const named = CLIENT_TYPES.find((type) => cell === `\`${type}\``);
  if (named === undefined) throw new Error(`no client type: ${cell}`);
  return [named];
}

/** Every key that a table of these types has to have. */
export function keysOf(types: readonly string[]): string[] {
  return types.flatMap((type) => CLIENT_TYPES.map((client) => `${type} ${client}`)).sort();
}
