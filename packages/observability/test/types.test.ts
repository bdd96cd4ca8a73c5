// Goal: the shapes of this package are those of what it is used with. Method: the compiler holds them against the packages; no line of this
// file has to run for that, and a change of the packages that breaks a shape fails the type check.
import type { Tracer } from '@opentelemetry/api';
import type { DatabaseHooks, GraphDB, GraphDBOf, SchemaDefinition } from '@sombra/db';
import type { PagerHooks } from '@sombra/pager';
import type { Logger } from 'pino';
import { expectTypeOf, it } from 'vitest';
import type {
  AuditableDatabase,
  AuditedWrites,
  CheckedDatabase,
  DatabaseObserver,
  EventLogger,
  PagerObserver,
  TracerLike,
  WatchedDatabase,
} from '../src/index.ts';

it('fits the database', () => {
  expectTypeOf<GraphDB>().toExtend<WatchedDatabase>();
  expectTypeOf<GraphDB>().toExtend<CheckedDatabase>();
  expectTypeOf<GraphDB>().toExtend<AuditableDatabase>();
  expectTypeOf<GraphDBOf<SchemaDefinition>>().toExtend<AuditableDatabase>();
});

it('observes every event of the database and the pager, and no other', () => {
  expectTypeOf<DatabaseObserver>().toExtend<DatabaseHooks>();
  expectTypeOf<DatabaseHooks>().toExtend<DatabaseObserver>();
  expectTypeOf<keyof DatabaseObserver>().toEqualTypeOf<keyof DatabaseHooks>();
  expectTypeOf<keyof PagerObserver>().toEqualTypeOf<keyof PagerHooks>();
});

it('keeps the types of the methods that write', () => {
  expectTypeOf<AuditedWrites<GraphDB>['addNode']>().toEqualTypeOf<GraphDB['addNode']>();
  expectTypeOf<AuditedWrites<GraphDB>['transaction']>().toEqualTypeOf<GraphDB['transaction']>();
  expectTypeOf<AuditedWrites<GraphDB>>().not.toHaveProperty('getNode');
});

it('fits loggers of pino and tracers of OpenTelemetry', () => {
  expectTypeOf<Logger>().toExtend<EventLogger>();
  expectTypeOf<Tracer>().toExtend<TracerLike>();
});
