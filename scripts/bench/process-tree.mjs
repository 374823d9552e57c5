// CPU time and memory of a process with everything below it, read from /proc.
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const PAGE_MB = 4096 / 1e6;

function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and brackets; the numbers start behind its last bracket.
    const nameEnd = text.lastIndexOf(')');
    const [state, ...fields] = text.slice(nameEnd + 2).split(' ');
    const [utime, stime, cutime, cstime] = fields.slice(10, 14).map(Number);
    return {
      pid,
      name: text.slice(text.indexOf('(') + 1, nameEnd),
      state,
      parent: Number(fields[0]),
      ticks: utime + stime + cutime + cstime,
      rssPages: Number(fields[20]),
    };
  } catch {
    return null; // ended between the listing and the reading
  }
}

function readTree(rootPid) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== null);
  const inTree = new Set([rootPid]);
  for (let grown = true; grown; ) {
    const before = inTree.size;
    for (const { pid, parent } of all) if (inTree.has(parent)) inTree.add(pid);
    grown = inTree.size > before;
  }
  return all.filter(({ pid }) => inTree.has(pid));
}

/** Ended children count through their parent's cutime, so a difference of two readings misses nothing. */
export function treeUsage(rootPid = process.pid) {
  const members = readTree(rootPid);
  return {
    cpuSeconds: members.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND,
    rssMb: members.reduce((sum, { rssPages }) => sum + rssPages, 0) * PAGE_MB,
  };
}

export function treeProcesses(rootPid = process.pid) {
  return readTree(rootPid).map(({ pid, name, state }) => ({ pid, name, state }));
}
