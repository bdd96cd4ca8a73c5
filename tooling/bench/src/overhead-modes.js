// What stands beside a database at work, for overhead.js: nothing, a logger at each level, a scrape every second.
import { logDestination, logEvents, mergedMetrics, metricsOf, processMetrics } from '@sombra/observability';
import pino from 'pino';

const SCRAPE_MS = 1000;

/** A logger that writes into a file, as in production. */
function logging(level) {
  return (db, file) => {
    const destination = logDestination(file);
    const end = db.observe(logEvents(pino({ level }, destination)));
    return () => {
      end();
      destination.end();
    };
  };
}

function scraped(db) {
  const metrics = mergedMetrics([metricsOf(db), processMetrics()]);
  let scrapes = 0;
  const timer = setInterval(() => {
    void metrics.text().then((text) => (scrapes += text === '' ? 0 : 1));
  }, SCRAPE_MS);
  return () => {
    clearInterval(timer);
    return scrapes;
  };
}

/** By name: called with the database and the path of a log; returns what ends it. */
export const MODES = {
  silent: () => () => undefined,
  'silence again': () => () => undefined,
  info: logging('info'),
  debug: logging('debug'),
  trace: logging('trace'),
  metrics: scraped,
};

const SCRAPES = 200;

/** Microseconds of CPU time that one scrape takes. */
export async function timeOfScrape(db) {
  const metrics = mergedMetrics([metricsOf(db), processMetrics()]);
  await metrics.text();
  const before = process.cpuUsage();
  for (let i = 0; i < SCRAPES; i += 1) await metrics.text();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / SCRAPES;
}
