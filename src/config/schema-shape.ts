import type { z } from 'zod';
import { configJsonSchema } from './json-schema.ts';

/** What the schema allows at a place, for messages that help and for reading environment variables. */

export type KeyPath = readonly (string | number)[];
type Shape = z.core.JSONSchema.JSONSchema;

const root = configJsonSchema();

/** The part of the JSON Schema for a key; null where there is no such key. */
export function shapeAt(path: KeyPath): Shape | null {
  let shape: Shape | null = root;
  for (const key of path) {
    if (shape === null) return null;
    shape = childShape(shape, key);
  }
  return shape;
}

function childShape(shape: Shape, key: string | number): Shape | null {
  if (shape.type === 'array') return asShape(shape.items);
  const own = shape.properties;
  if (own !== undefined && Object.hasOwn(own, key)) return asShape(own[key]);
  return asShape(shape.additionalProperties);
}

function asShape(value: unknown): Shape | null {
  const isShape = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isShape ? (value as Shape) : null;
}

/** The keys that a section may have; empty for sections whose keys the user names, and for values. */
export function keysAt(path: KeyPath): string[] {
  return Object.keys(shapeAt(path)?.properties ?? {});
}

/** Where in a section, or below it, a key of this exact name stands: `['detect', 'fps']`. */
export function findKeyBelow(path: KeyPath, key: string): string[] | null {
  const keys = keysAt(path);
  if (keys.includes(key)) return [key];
  const isNamedByUser = asShape(shapeAt(path)?.additionalProperties) !== null;
  for (const section of isNamedByUser ? ['<name>'] : keys) {
    const below = findKeyBelow([...path, section], key);
    if (below !== null) return [section, ...below];
  }
  return null;
}

/** The words allowed for a value that is one of a few. */
export function wordsAt(path: KeyPath): string[] {
  const shape = shapeAt(path);
  const choices = [shape, ...(shape?.anyOf?.map(asShape) ?? [])];
  return choices
    .flatMap((choice) => choice?.enum ?? (choice?.const === undefined ? [] : [choice.const]))
    .filter((word) => typeof word === 'string');
}

/** Whether a key takes text and nothing else. */
export function isTextOnly(path: KeyPath): boolean {
  const shape = shapeAt(path);
  return shape?.type === 'string' && shape.enum === undefined;
}

/** What is allowed, in words: `a whole number from 1 to 16`, `one of tcp, udp`. */
export function describeAllowed(path: KeyPath): string {
  const shape = shapeAt(path);
  return shape === null ? 'nothing' : describeShape(shape);
}

function describeShape(shape: Shape): string {
  if (shape.anyOf !== undefined)
    return shape.anyOf
      .map(asShape)
      .map((choice) => (choice === null ? 'anything' : describeShape(choice)))
      .join(', or ');
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum !== undefined) return `one of ${shape.enum.join(', ')}`;
  switch (shape.type) {
    case 'integer':
      return `a whole number${describeRange(shape)}`;
    case 'number':
      return `a number${describeRange(shape)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'array':
      return shape.minItems === undefined ? 'a list' : `a list of at least ${shape.minItems}`;
    case 'object':
      return describeSection(shape);
    default:
      return shape.minLength === undefined ? 'text' : 'text that is not empty';
  }
}

function describeRange(shape: Shape): string {
  const parts = [];
  if (shape.exclusiveMinimum !== undefined) parts.push(`above ${shape.exclusiveMinimum}`);
  if (shape.minimum !== undefined) parts.push(`from ${shape.minimum}`);
  // zod writes the largest safe integer where the schema sets no limit.
  if (shape.maximum !== undefined && shape.maximum < Number.MAX_SAFE_INTEGER)
    parts.push(`to ${shape.maximum}`);
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}

function describeSection(shape: Shape): string {
  const keys = Object.keys(shape.properties ?? {});
  return keys.length === 0 ? 'a section' : `a section with ${keys.join(', ')}`;
}
