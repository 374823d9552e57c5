import type { Location } from './document.ts';

/** One thing wrong with the configuration, and how to put it right. Free of secrets. */
export interface ConfigProblem {
  /** A warning changes nothing; an error disables the camera concerned, or all. */
  severity: 'error' | 'warning';
  /** Where in the file; null for values of the environment, and for the file as a whole. */
  line: number | null;
  column: number | null;
  /** The environment variable that gave the value; null for values of the file. */
  variable: string | null;
  /** `cameras.front.detect.fps`; empty for the file as a whole. */
  key: string;
  found: string | null;
  allowed: string | null;
  /** The key or word that was most likely meant. */
  suggestion: string | null;
  /** All of it as a sentence, without the place. */
  message: string;
  /** The only camera concerned; null when the problem is everyone's. */
  cameraId: string | null;
}

/** Where values come from, for pointing at them. */
export interface Origin {
  location: Location | null;
  variable: string | null;
}

/** `edge.yaml:12:7: cameras.front.detect.fps is 100; allowed: ...` */
export function formatProblem(problem: ConfigProblem, sourcePath: string): string {
  const { line, column, variable, severity, message } = problem;
  const inFile = line === null ? sourcePath : `${sourcePath}:${line}:${column ?? 1}`;
  const note = severity === 'warning' ? 'warning: ' : '';
  return `${variable ?? inFile}: ${note}${message}`;
}
