/** Names of file systems that keep no directories: `a`, `./a` and `.//a` are one name. */

/** The one spelling of a path: without `.` and empty parts, and with `..` resolved; '.' for the directory itself. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !path.startsWith('/')) parts.push(part);
  }
  const joined = parts.join('/');
  if (path.startsWith('/')) return `/${joined}`;
  return joined === '' ? '.' : joined;
}

/** The name of a normal path in its directory. */
export function pathIn(path: string, directory: string): string {
  if (directory === '.') return path;
  return path.slice(directory === '/' ? 1 : directory.length + 1);
}
