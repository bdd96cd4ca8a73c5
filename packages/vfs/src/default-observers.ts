/**
 * What observes every database that this process opens, without being passed to each: logging that is switched on in one place, for
 * example. Copies of this package in one process share the list, so that it does not matter which copy a database was built on.
 */

/** Makes the hooks of one database. @param path  of the database */
export type ObserverFactory = (path: string) => object;

const KEY = Symbol.for('sombra.default-observers');

function factories(): Set<ObserverFactory> {
  const shared = globalThis as { [KEY]?: Set<ObserverFactory> };
  return (shared[KEY] ??= new Set());
}

/**
 * From now on every database that is opened is observed by what `make` returns for it.
 * @returns ends that; databases that are open go on being observed
 */
export function addDefaultObserver(make: ObserverFactory): () => void {
  const own: ObserverFactory = (path) => make(path); // added twice, it is ended twice
  factories().add(own);
  return () => {
    factories().delete(own);
  };
}

/** The factories, in the order in which they were added. */
export function defaultObservers(): ObserverFactory[] {
  return [...factories()];
}
