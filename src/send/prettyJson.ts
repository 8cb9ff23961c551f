/** Longest line that is not broken, in characters: a sidebar is narrow. */
const WIDTH = 30;
const INDENT = '  ';
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** A scalar as it was written, or a list of entries between brackets. */
type Node = string | { open: string; close: string; entries: IEntry[] };

interface IEntry {
  key: string | null;
  value: Node;
}

/**
 * Lay out JSON text for reading, or return null when it is not JSON.
 *
 * Scalars stay as they were written, so that `1.0` and integers beyond 2^53
 * are shown as the service sent them. What fits on a line stays on one line,
 * and long rows of numbers are filled like text.
 */
export function prettyJson(text: string): string | null {
  try {
    JSON.parse(text);
    return print(read(text.match(TOKEN) ?? []), '');
  } catch {
    // Not JSON, or nested deeper than the stack.
    return null;
  }
}

function read(tokens: readonly string[]): Node {
  let position = 0;
  const value = (): Node => {
    const open = tokens[position++];
    if (open !== '{' && open !== '[') {
      return open;
    }
    const close = open === '{' ? '}' : ']';
    const entries: IEntry[] = [];
    while (tokens[position] !== close) {
      let key: string | null = null;
      if (open === '{') {
        key = tokens[position];
        position += 2;
      }
      entries.push({ key, value: value() });
      if (tokens[position] === ',') {
        position++;
      }
    }
    position++;
    return { open, close, entries };
  };
  return value();
}

/** The node on one line, or null when that is longer than `room`. */
function flat(node: Node, room: number): string | null {
  if (typeof node === 'string') {
    return node.length <= room ? node : null;
  }
  const parts: string[] = [];
  let left = room - 2;
  for (const { key, value } of node.entries) {
    const text = flat(value, left);
    if (text === null) {
      return null;
    }
    const part = key === null ? text : `${key}: ${text}`;
    left -= part.length + 2;
    if (left < -2) {
      return null;
    }
    parts.push(part);
  }
  return `${node.open}${parts.join(', ')}${node.close}`;
}

function print(node: Node, indent: string): string {
  if (typeof node === 'string') {
    return node;
  }
  const line = flat(node, WIDTH - indent.length);
  if (line !== null) {
    return line;
  }
  const inner = indent + INDENT;
  const isPlain = node.entries.every(
    ({ key, value }) => key === null && typeof value === 'string'
  );
  const lines = isPlain
    ? fill(
        node.entries.map(entry => entry.value as string),
        inner
      )
    : node.entries.map(({ key, value }) => {
        const text = print(value, inner);
        return inner + (key === null ? text : `${key}: ${text}`);
      });
  const body = lines.join(isPlain ? '\n' : ',\n');
  return `${node.open}\n${body}\n${indent}${node.close}`;
}

/** Scalars, as many on a line as fit. */
function fill(items: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  items.forEach((item, index) => {
    const text = index < items.length - 1 ? `${item},` : item;
    if (line !== indent && line.length + text.length > WIDTH) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${text} `;
  });
  lines.push(line.trimEnd());
  return lines;
}
