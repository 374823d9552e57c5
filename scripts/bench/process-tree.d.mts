export function treeUsage(rootPid?: number): { cpuSeconds: number; rssMb: number };
export function treeProcesses(rootPid?: number): { pid: number; name: string; state: string }[];
